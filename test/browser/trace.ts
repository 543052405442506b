/**
 * What Node and the browser must agree on, as SHA-256 of the exact bits: the built-in data and its augmentation, single
 * kernels, and the parameters after every step of training through both stages. Runs in both; see identity.test.ts.
 */
import { matmul } from '../../src/autograd/matmul.ts';
import { exp, log, sigmoid, sqrt, tanh } from '../../src/autograd/pointwise.ts';
import { randomNormal, randomUniform } from '../../src/autograd/random.ts';
import { softmax } from '../../src/autograd/softmax.ts';
import { augmentCloud, augmentImage } from '../../src/data/augment.ts';
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import { type Config, PRESETS } from '../../src/romo/config.ts';
import { pseudoLabels } from '../../src/romo/method/pseudo_labels.ts';
import { trainRdl } from '../../src/romo/method/rdl.ts';
import { trainSsm } from '../../src/romo/method/ssm.ts';
import type { Inspect, StepReport } from '../../src/romo/method/stage.ts';
import { encodeModels } from '../../src/romo/run/model_file.ts';
import { trainingData } from '../../src/romo/run/run.ts';
import { type Gpu, openDevice } from '../../src/tensor/device.ts';
import { Random } from '../../src/tensor/random.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';

export interface Step {
  stage: 'ssm' | 'rdl';
  step: number;
  loss: number;
  /** SHA-256 of every parameter, by name */
  parameters: Record<string, string>;
}

export interface Trace {
  adapter: string;
  /** SHA-256 by name */
  data: Record<string, string>;
  kernels: Record<string, string>;
  steps: Step[];
  /** SHA-256 of the file of both models, model.safetensors */
  model: string;
}

/** 40 objects in batches of 10: 4 steps per epoch, 20 steps per stage. */
function configuration(): Config {
  const config = structuredClone(PRESETS.tiny);
  config.ssm.epochs = 5;
  config.rdl.epochs = 5;
  return config;
}

async function sha256(values: ArrayBufferView): Promise<string> {
  const bytes = new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param disturb stops after a step, having changed the first parameter by one bit: the comparison must notice */
export async function trace({ disturb = false } = {}): Promise<Trace> {
  const gpu = await openDevice();
  try {
    const config = configuration();
    const data = await openShapes(config);
    const training = trainingData(data);
    const steps: Step[] = [];
    const losses: StepReport[] = [];
    const inspect: Inspect = async (stage, step, parameters) => {
      if (disturb) await nudge([...parameters.values()][0]);
      const hashes: Record<string, string> = {};
      for (const [name, tensor] of parameters) hashes[name] = await sha256(await tensor.readFloats());
      steps.push({ stage, step, loss: 0, parameters: hashes });
      if (disturb) throw new Enough();
    };
    const onStep = (report: StepReport) => losses.push(report);
    const kernels = await kernelHashes(gpu);
    const dataHashes = await hashesOfData(config, training.pairs);
    let model = '';
    try {
      const ssm = await trainSsm(gpu, training, config, { inspect, onStep });
      const labels = await pseudoLabels(gpu, ssm, training, config);
      const rdl = await trainRdl(gpu, training, config, labels, ssm, { inspect, onStep });
      model = await sha256(await encodeModels({ ssm, rdl }, config));
    } catch (error) {
      if (!(error instanceof Enough)) throw error;
    }
    for (const [i, { loss }] of losses.entries()) steps[i].loss = loss;
    return { adapter: gpu.adapterName, data: dataHashes, kernels, steps, model };
  } finally {
    gpu.close();
  }
}

/** Ends a disturbed training. */
class Enough extends Error {}

async function nudge(tensor: Tensor): Promise<void> {
  const values = await tensor.readFloats();
  const bits = new Int32Array(values.buffer);
  bits[0]++;
  tensor.write(values);
}

async function hashesOfData(
  config: Config,
  pairs: ReturnType<typeof trainingData>['pairs'],
): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  const join = (arrays: Float32Array[]) => Float32Array.from(arrays.flatMap((array) => [...array]));
  const samples = await pairs.load(Array.from({ length: pairs.length }, (_, index) => index));
  hashes.images = await sha256(join(samples.map(({ image }) => image)));
  hashes.clouds = await sha256(join(samples.map(({ cloud }) => cloud)));
  for (const strength of ['mild', 'strong'] as const) {
    const augmented = samples.flatMap((sample, index) => {
      const image = new Float32Array(sample.image.length);
      augmentImage(sample.image, pairs.imageShape, strength, true, new Random(1, 'image', index), image);
      const cloud = new Float32Array(3 * config.points);
      const rotation = { axis: 2, maxDegrees: 180 } as const;
      augmentCloud(sample.cloud, config, strength, rotation, new Random(1, 'cloud', index), cloud);
      return [image, cloud];
    });
    hashes[`augmented, ${strength}`] = await sha256(join(augmented));
  }
  return hashes;
}

/** Single kernels, each over thousands of inputs. */
async function kernelHashes(gpu: Gpu): Promise<Record<string, string>> {
  using _ = gpu.scope();
  const x = randomUniform(gpu, [64, 96], [1, 2], -8, 8);
  const positive = randomUniform(gpu, [64, 96], [1, 2], 1e-3, 50);
  const y = randomUniform(gpu, [96, 64], [3, 4], -1, 1);
  const results: Record<string, Tensor> = {
    uniform: x,
    'normal (log, cos)': randomNormal(gpu, [4096], [5, 6]),
    matmul: matmul(x, y),
    exp: exp(x),
    log: log(positive),
    sqrt: sqrt(positive),
    tanh: tanh(x),
    sigmoid: sigmoid(x),
    softmax: softmax(x, 0.3),
  };
  const hashes: Record<string, string> = {};
  for (const [name, tensor] of Object.entries(results)) hashes[name] = await sha256(await tensor.readFloats());
  return hashes;
}

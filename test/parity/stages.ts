/** Fixtures of the two stages: the losses of a few steps of training. */
import * as assert from 'uvu/assert';
import { concat } from '../../src/autograd/concat.ts';
import { gather } from '../../src/autograd/gather.ts';
import { l2Normalize } from '../../src/autograd/l2_normalize.ts';
import { contrastive, rcll, softmaxCrossEntropy } from '../../src/autograd/losses.ts';
import { product } from '../../src/autograd/matmul.ts';
import { add, scale } from '../../src/autograd/pointwise.ts';
import { argmax } from '../../src/autograd/softmax.ts';
import { record } from '../../src/autograd/tape.ts';
import { Dgcnn } from '../../src/model/dgcnn.ts';
import { HeadMlp } from '../../src/model/heads.ts';
import { Linear } from '../../src/model/layers.ts';
import type { Module } from '../../src/model/module.ts';
import { ResNet } from '../../src/model/resnet.ts';
import { Sgd } from '../../src/model/sgd.ts';
import { MemoryBank } from '../../src/romo/method/memory_bank.ts';
import type { Gpu } from '../../src/tensor/device.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { assertClose } from '../support/close.ts';
import { channelsLast, type Fixture, hashUniform, type Laid } from '../support/fixture.ts';
import { INIT, loadHashes } from './models.ts';
import type { Handler } from './ops.ts';

/** One batch of a tensor [steps, batch, ...]. */
function step<T extends Float32Array | Int32Array>(data: T, shape: readonly number[], index: number): T {
  const size = data.length / shape[0];
  return data.slice(index * size, (index + 1) * size) as T;
}

interface Batch {
  images: Tensor;
  points: Tensor;
  index: number;
}

/** A part of the model: its prefix in the fixture, and the map from our names to PyTorch's. */
type Part = [prefix: string, module: Module, nameOf?: (name: string) => string];

/** Trains both encoders and the heads for the fixture's steps and compares the losses. */
async function trajectory(
  gpu: Gpu,
  fixture: Fixture,
  parts: Part[],
  lossOf: (batch: Batch) => Tensor,
  after: () => void = () => {},
): Promise<void> {
  const parameters = new Map<string, Tensor>();
  for (const [prefix, module, nameOf = (name: string) => name] of parts) {
    await loadHashes(module, (name) => `${prefix}.${nameOf(name)}`);
    for (const [name, parameter] of module.parameters()) parameters.set(`${prefix}.${nameOf(name)}`, parameter);
  }
  assert.equal([...parameters.keys()], fixture.attrs.parameters);
  const { lr: learningRate, momentum, weight_decay: weightDecay } = fixture.attrs;
  const sgd = new Sgd(gpu, parameters, { learningRate, momentum, weightDecay });
  const [images, points] = [fixture.input('in.images'), fixture.input('in.points')];
  const upload = ({ data, shape }: Laid, index: number) => {
    const laid = channelsLast(step(data, shape, index), shape.slice(1));
    return gpu.tensor(laid.data, laid.shape);
  };
  try {
    const expected = fixture.floats('out.losses');
    const losses: number[] = [];
    for (let index = 0; index < expected.length; index++) {
      using _ = gpu.scope();
      const batch = { images: upload(images, index), points: upload(points, index), index };
      const tape = record(gpu, () => lossOf(batch).keep());
      tape.backward();
      sgd.step();
      after();
      losses.push((await (tape.loss as Tensor).readFloats())[0]);
      tape.loss?.dispose();
    }
    assertClose('losses', losses, expected, fixture);
  } finally {
    sgd.dispose();
    for (const [, module] of parts) module.dispose();
  }
}

function encoders(gpu: Gpu, { attrs: { out_dim: outChannels, k } }: Fixture): { images: ResNet; points: Dgcnn } {
  const images = new ResNet(gpu, { inChannels: 3, outChannels, depth: 18 }, INIT);
  return { images, points: new Dgcnn(gpu, { outChannels, k }, INIT) };
}

export const stages: Readonly<Record<string, Handler>> = {
  /** Both encoders, the shared head, RCLL, L_mlm, SGD. */
  async rdl_trajectory(gpu, fixture) {
    const { out_dim: outChannels, classes, alpha, tau } = fixture.attrs;
    const { weight_rcll: weightRcll, weight_mlm: weightMlm } = fixture.attrs;
    const { images, points } = encoders(gpu, fixture);
    const head = new HeadMlp(gpu, outChannels, 128, classes, INIT);
    const torchHead: Record<string, string> = { fc1: 'head.0', fc2: 'head.2' };
    const parts: Part[] = [
      ['img', images],
      ['pc', points],
      ['head', head, (name) => name.replace(/^fc\d/, (layer) => torchHead[layer])],
    ];
    await trajectory(gpu, fixture, parts, (batch) => {
      const labels = step(fixture.ints('in.labels'), fixture.get('in.labels').shape, batch.index); // [2, batch]
      const size = labels.length / 2;
      const imageLabels = gpu.tensor(labels.subarray(0, size), [size]);
      const pointLabels = gpu.tensor(labels.subarray(size), [size]);
      const u = images.forward(batch.images);
      const v = points.forward(batch.points);
      const robust = add(rcll(head.forward(u), imageLabels, { alpha }), rcll(head.forward(v), pointLabels, { alpha }));
      return add(scale(robust, weightRcll), scale(contrastive(concat([u, v], 0), { tau }), weightMlm));
    });
  },

  /** Both encoders, a head for each, hard targets from the memory banks, L_mlm, SGD, and the updates of the banks. */
  async ssm_trajectory(gpu, fixture) {
    const { out_dim: outChannels, classes, tau, lambda, samples } = fixture.attrs;
    const { memory_momentum: memoryMomentum, head_temperature: temperature } = fixture.attrs;
    const { images, points } = encoders(gpu, fixture);
    const heads = [0, 1].map(() => new Linear(gpu, outChannels, classes, INIT, { bias: false }));
    const names = ['in.image_bank', 'in.point_bank'];
    const banks: MemoryBank[] = [];
    for (const name of names) {
      const rows = gpu.tensor(Float32Array.from(hashUniform(name, samples * outChannels)), [samples, outChannels]);
      banks.push(new MemoryBank(gpu, await l2Normalize(rows).readFloats(), outChannels));
    }
    let units: Tensor[] = [];
    let ids: Tensor | undefined;
    const parts: Part[] = [
      ['img', images],
      ['pc', points],
      ['image_head', heads[0]],
      ['point_head', heads[1]],
    ];
    const lossOf = (batch: Batch) => {
      const rows = step(fixture.ints('in.ids'), fixture.get('in.ids').shape, batch.index);
      const index = gpu.tensor(rows, [rows.length]).keep();
      ids = index;
      units = [l2Normalize(images.forward(batch.images)).keep(), l2Normalize(points.forward(batch.points)).keep()];
      const [left, right] = heads.map((head, i) => {
        const target = argmax(product(gather(banks[i].rows, index), head.weight, {}));
        return softmaxCrossEntropy(scale(head.forward(units[i]), 1 / temperature), target);
      });
      return add(scale(add(left, right), lambda), scale(contrastive(concat(units, 0), { tau }), 1 - lambda));
    };
    await trajectory(gpu, fixture, parts, lossOf, () => {
      units.forEach((unit, i) => {
        banks[i].update(unit, ids as Tensor, memoryMomentum);
        unit.dispose();
      });
      ids?.dispose();
    });
    assertClose('image bank', await banks[0].rows.readFloats(), fixture.floats('out.image_bank'), fixture);
    assertClose('point bank', await banks[1].rows.readFloats(), fixture.floats('out.point_bank'), fixture);
    for (const bank of banks) bank.dispose();
  },
};

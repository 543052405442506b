/** The backends against each other: one training step of both encoders gives the same parameters, within rounding. */
import * as assert from 'uvu/assert';
import { concat } from '../../src/autograd/concat.ts';
import { contrastive } from '../../src/autograd/losses.ts';
import { record } from '../../src/autograd/tape.ts';
import { BACKENDS, type BackendName } from '../../src/backends/backend.ts';
import { Dgcnn } from '../../src/model/dgcnn.ts';
import { ResNet } from '../../src/model/resnet.ts';
import { Sgd } from '../../src/model/sgd.ts';
import { openDevice } from '../../src/tensor/device.ts';
import { gpuSuite, withVariant } from '../support/gpu.ts';
import { argument } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('backends');
const INIT = { seed: 3, path: 'backends' };

/** Parameters after a step of SGD, and the loss before it. */
async function step(): Promise<Map<string, Float32Array>> {
  using _ = gpu().scope();
  const tensor = (name: string, shape: number[]) => gpu().tensor(argument(name, shape).data, shape);
  const images = tensor('images', [6, 16, 16, 3]);
  const clouds = tensor('clouds', [6, 40, 3]);
  const resnet = new ResNet(gpu(), { inChannels: 3, outChannels: 8, depth: 'small', width: 16 }, INIT);
  const dgcnn = new Dgcnn(gpu(), { outChannels: 8, k: 5, widths: [8, 8, 16] }, INIT);
  const parameters = new Map(
    [...resnet.parameters(), ...dgcnn.parameters()].map(([name, parameter], i) => [`${i} ${name}`, parameter]),
  );
  const sgd = new Sgd(gpu(), parameters, { learningRate: 0.1 });
  const tape = record(gpu(), () =>
    contrastive(concat([resnet.forward(images), dgcnn.forward(clouds)], 0), { tau: 0.5 }),
  );
  const loss = tape.loss?.keep();
  tape.backward();
  sgd.step();
  const result = new Map<string, Float32Array>([['loss', (await loss?.readFloats()) as Float32Array]]);
  for (const [name, parameter] of parameters) result.set(name, await parameter.readFloats());
  loss?.dispose();
  sgd.dispose();
  for (const parameter of parameters.values()) parameter.dispose();
  return result;
}

/** The largest difference of two tensors, relative to the largest element, or to 1e-3 if all are smaller. */
function difference(a: Float32Array, b: Float32Array): number {
  const scale = a.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3);
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0) / scale;
}

// f32 rounding through 20 layers and back.
const BOUND = 1e-4;

test('one training step on the reference and on every other backend', async () => {
  const definitions = await withVariant(gpu(), 'reference', step);
  const before = await withVariant(gpu(), 'reference', step);
  for (const [name, values] of definitions) assert.equal([...values], [...(before.get(name) as Float32Array)], name);
  for (const backend of BACKENDS) {
    const other = await withVariant(gpu(), backend, step);
    for (const [name, values] of definitions) {
      const apart = difference(values, other.get(name) as Float32Array);
      assert.ok(apart <= BOUND, `${backend}: ${name} differs by ${apart}`);
    }
  }
});

test('a device is opened with the backend that is asked for', async () => {
  for (const backend of BACKENDS) {
    const opened = await openDevice({ backend });
    const hasFallback = backend === 'software' && opened.backend.name === 'software-plain';
    assert.ok(opened.backend.name === backend || hasFallback, `${backend}: ${opened.backend.name}`);
    opened.close();
  }
  const unknown = openDevice({ backend: 'cuda' as BackendName }).then(
    () => '',
    (error: Error) => error.message,
  );
  assert.match(await unknown, /no backend is called "cuda". There are reference, gpu, software/);
});

test.run();

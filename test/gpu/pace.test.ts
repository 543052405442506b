/** No submit and no dispatch that a system takes for a hung GPU: work is cut by its operations, and no bit changes. */
import * as assert from 'uvu/assert';
import { conv2d } from '../../src/autograd/conv2d.ts';
import { gather } from '../../src/autograd/gather.ts';
import { knn } from '../../src/autograd/knn.ts';
import { matmul } from '../../src/autograd/matmul.ts';
import { add } from '../../src/autograd/pointwise.ts';
import { assign, update } from '../../src/romo/method/kmeans.ts';
import { ExactIndex } from '../../src/search/exact.ts';
import { Pace } from '../../src/tensor/pace.ts';
import { Replay } from '../../src/tensor/replay.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { forwardBackward } from '../support/backward.ts';
import { gpuSuite, VARIANTS, withVariant } from '../support/gpu.ts';
import { argument } from '../support/gradcheck.ts';
import { TinyTraining } from '../support/tiny_training.ts';

const { test, gpu } = gpuSuite('pace', { selfTest: false });

const FAST = 1e15; // operations per second
const LONGEST = { submit: 0.2, dispatch: 0.5 };

/** A pace that never measures. */
const pretending = (rate: number): Pace => Object.assign(new Pace(), { rate, wait: () => () => {} });

interface Run<T> {
  result: T;
  /** dispatches of each submit */
  submits: number[];
  operations: number;
}

/** Runs `body` at a pretended rate. */
async function at<T>(rate: number, body: () => Promise<T>): Promise<Run<T>> {
  const { device, pace } = gpu();
  const { createCommandEncoder } = device;
  const { submit } = device.queue;
  const submits: number[] = [];
  let dispatches = 0;
  device.createCommandEncoder = () => {
    const encoder = createCommandEncoder.call(device);
    const { beginComputePass } = encoder;
    encoder.beginComputePass = (descriptor) => {
      const pass = beginComputePass.call(encoder, descriptor);
      const { dispatchWorkgroups } = pass;
      pass.dispatchWorkgroups = (x, y) => {
        dispatches++;
        return dispatchWorkgroups.call(pass, x, y);
      };
      return pass;
    };
    return encoder;
  };
  device.queue.submit = (buffers) => {
    submits.push(dispatches);
    dispatches = 0;
    return submit.call(device.queue, buffers);
  };
  const pretended = pretending(rate);
  const count = pretended.submit.bind(pretended);
  let operations = 0;
  pretended.submit = (more) => {
    operations += more;
    count(more);
  };
  gpu().pace = pretended;
  try {
    return { result: await body(), submits, operations };
  } finally {
    Object.assign(device, { createCommandEncoder });
    device.queue.submit = submit;
    gpu().pace = pace;
  }
}

/** Runs `body` twice: on a fast adapter, and on one so slow that all of it takes some seconds. */
async function fastAndSlow<T>(seconds: number, body: () => Promise<T>): Promise<[Run<T>, Run<T>]> {
  const fast = await at(FAST, body);
  return [fast, await at(fast.operations / seconds, body)];
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
const leaf = (name: string, shape: number[]) => gpu().tensor(argument(name, shape).data, shape);
const all = async (tensors: readonly Tensor[]) => {
  const values = [];
  for (const tensor of tensors) values.push([...(await tensor.read())]);
  return values;
};
/** An op's output and its gradients. */
const both = async (inputs: Tensor[], op: (leaves: Tensor[]) => Tensor) => {
  const { output, gradients } = await forwardBackward(gpu(), inputs, () => op(inputs));
  return [[...output], ...gradients.map((gradient) => [...gradient])];
};

const WORK: Record<string, () => Promise<number[][]>> = {
  'matrix product': () => both([leaf('a', [130, 68]), leaf('b', [68, 132])], ([a, b]) => matmul(a, b)),
  'product with an odd side': () => both([leaf('a', [97, 31]), leaf('b', [31, 65])], ([a, b]) => matmul(a, b)),
  convolution: () =>
    both([leaf('x', [3, 13, 11, 16]), leaf('w', [3, 3, 16, 20])], ([x, w]) => conv2d(x, w, { padding: 1 })),
  'convolution with a stride': () =>
    both([leaf('x', [3, 12, 11, 3]), leaf('w', [5, 5, 3, 7])], ([x, w]) => conv2d(x, w, { stride: 2, padding: 2 })),
  kNN: () => all([knn(leaf('x', [2, 200, 8]), 9), knn(leaf('y', [1, 203, 3]), 70)]),
  'k-means': () => {
    const [x, centres] = [leaf('x', [901, 12]), leaf('centres', [13, 12])];
    const { labels, distances } = assign(x, centres);
    update(x, labels, centres);
    return all([labels, distances, centres]);
  },
  search: async () => {
    const index = new ExactIndex(gpu(), 12);
    index.add(argument('gallery', [4001, 12]).data);
    const { rows, scores } = await index.search(argument('queries', [137, 12]).data, 70);
    index.dispose();
    return [[...rows], [...scores]];
  },
  'gradient of gather': () => {
    const index = gpu().tensor(
      Int32Array.from({ length: 300 }, (_, i) => (i * 7) % 90),
      [300],
    );
    return both([leaf('x', [90, 12])], ([x]) => gather(x, index));
  },
  sum: () => both([leaf('x', [70, 301]), leaf('y', [70, 301])], ([x, y]) => add(x, y)),
};

for (const [name, work] of Object.entries(WORK)) {
  test(`${name}: cut on a slow adapter, with the same bits`, async () => {
    for (const variant of VARIANTS) {
      await withVariant(gpu(), variant, async () => {
        using _ = gpu().scope();
        const [whole, cut] = await fastAndSlow(5, work);
        assert.equal(cut.result, whole.result, `${name}, ${variant}`);
        assert.ok(sum(cut.submits) > sum(whole.submits), `dispatches ${sum(cut.submits)}, ${sum(whole.submits)}`);
        assert.ok(cut.submits.length > 1.5 * whole.submits.length, `submits ${cut.submits.length}`);
      });
    }
  });
}

test('a recorded step is cut in each run, changes no bit and creates nothing', async () => {
  const run = async () => {
    const training = new TinyTraining(gpu());
    const { replay, result: loss } = await Replay.record(gpu(), () => training.step());
    const losses: number[] = [];
    const { device } = gpu();
    const { createBuffer, createBindGroup } = device;
    let created = 0;
    for (let step = 0; step < 4; step++) {
      training.load(step);
      replay.run();
      losses.push((await loss.readFloats())[0]);
      // From the second run on.
      device.createBuffer = (descriptor) => {
        created++;
        return createBuffer.call(device, descriptor);
      };
      device.createBindGroup = (descriptor) => {
        created++;
        return createBindGroup.call(device, descriptor);
      };
    }
    Object.assign(device, { createBuffer, createBindGroup });
    const state = await training.state();
    replay.dispose();
    training.dispose();
    return { losses, state, created };
  };
  const [whole, cut] = await fastAndSlow(40, run);
  assert.equal(cut.result, whole.result);
  assert.is(cut.result.created, 0);
  assert.ok(cut.submits.length > 1.5 * whole.submits.length, `${cut.submits.length} submits`);
  assert.ok(sum(cut.submits) > 1.1 * sum(whole.submits), `${sum(cut.submits)} dispatches`);
});

test('submits and dispatches stay below their limits as estimated', async () => {
  // A product of 4 workgroups per submit: 2 * 64 * 64 * 64 operations each, and 32 for each of 4 * 3 * 4096 elements.
  using _ = gpu().scope();
  const [a, b] = [leaf('a', [4, 64, 64]), leaf('b', [4, 64, 64])];
  await withVariant(gpu(), 'gpu', async () => {
    const operations = 4 * (2 * 64 ** 3 + 32 * 3 * 64 ** 2);
    const submits = async (seconds: number) => (await at(operations / seconds, () => matmul(a, b).read())).submits;
    // The last submit is the readback's.
    assert.equal(await submits(LONGEST.submit), [1, 0].slice(0, (await submits(LONGEST.submit)).length));
    assert.is(sum(await submits(LONGEST.dispatch)), 1);
    assert.is(sum(await submits(1.9 * LONGEST.dispatch)), 2);
    assert.is(sum(await submits(100 * LONGEST.dispatch)), 4, 'a workgroup is not cut');
  });
});

test('the rate follows long waits both ways, short ones only upward, by at most a factor of 2', () => {
  const { now } = performance;
  let time = 0;
  performance.now = () => time;
  try {
    const pace = new Pace();
    const work = (operations: number, seconds: number) => {
      const begin = pace.rate;
      pace.submit(operations);
      const done = pace.wait();
      time += 1000 * seconds;
      done();
      return pace.rate / begin;
    };
    assert.is(work(pace.rate * 0.02, 0.2), 1, 'a short wait is mostly the way there and back');
    assert.ok(Math.abs(work(pace.rate * 0.3, 0.2) - 1.5) < 1e-9);
    assert.ok(Math.abs(work(pace.rate * 0.3, 0.4) - 0.75) < 1e-9);
    assert.is(work(pace.rate * 0.3, 10), 0.5);
    assert.is(work(pace.rate * 10, 0.1), 2);
    assert.is(work(0, 1), 1);
    // Two waits in flight: the second counts from the end of the first.
    const { rate } = pace;
    pace.submit(0.2 * rate);
    const first = pace.wait();
    pace.submit(0.2 * rate);
    const second = pace.wait();
    time += 200;
    first();
    assert.ok(Math.abs(pace.rate / rate - 1) < 1e-9);
    time += 250;
    second();
    assert.ok(Math.abs(pace.rate / rate - 0.8) < 1e-9);
  } finally {
    performance.now = now;
  }
});

test('a lost GPU halves what is submitted at once afterwards', () => {
  const before = pretending(1e9);
  assert.is(before.submitWork, 0.2e9);
  assert.is(before.dispatchWork, 0.5e9);
  Pace.lost();
  assert.is(pretending(1e9).submitWork, 0.1e9);
  assert.is(pretending(1e9).dispatchWork, 0.25e9);
});

test.run();

/**
 * Tensors over the binding limit: every op computes the same in windows as in one binding. The limit is lowered to a
 * few bytes, so that small tensors are cut as often as alignment allows. over_limits.test.ts exceeds a real limit.
 */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type BatchNormOptions, batchNorm } from '../../src/autograd/batch_norm.ts';
import { concat } from '../../src/autograd/concat.ts';
import { conv2d } from '../../src/autograd/conv2d.ts';
import { edgeConv } from '../../src/autograd/edge_conv.ts';
import { gather } from '../../src/autograd/gather.ts';
import { knn } from '../../src/autograd/knn.ts';
import { l2Normalize } from '../../src/autograd/l2_normalize.ts';
import { contrastive, rcll, softCrossEntropy, softmaxCrossEntropy } from '../../src/autograd/losses.ts';
import { matmul } from '../../src/autograd/matmul.ts';
import { maxPool2d } from '../../src/autograd/max_pool2d.ts';
import { add, div, mul, tanh } from '../../src/autograd/pointwise.ts';
import { randomNormal, randomUniform } from '../../src/autograd/random.ts';
import { globalMaxPool, globalMeanPool, mean } from '../../src/autograd/reduce.ts';
import { argmax, softmax } from '../../src/autograd/softmax.ts';
import { assign } from '../../src/romo/method/kmeans.ts';
import { windows } from '../../src/tensor/launch.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { forwardBackward } from '../support/backward.ts';
import { assertClose } from '../support/close.ts';
import { gpuSuite, times, VARIANTS, withVariant } from '../support/gpu.ts';
import { argument } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('windows');

/** Runs `body` with a limit that every tensor of more than 64 elements exceeds. */
async function inWindows<T>(body: () => Promise<T>): Promise<T> {
  const whole = gpu().bindableBytes;
  gpu().bindableBytes = 256;
  try {
    return await body();
  } finally {
    gpu().bindableBytes = whole;
  }
}

interface Sizes {
  batch: number;
  height: number;
  width: number;
  channels: number;
  outChannels: number;
}

type Op = (leaves: Tensor[], sizes: Sizes) => Tensor;

const images = ({ batch, height, width, channels }: Sizes) => [batch, height, width, channels];
const matrix = ({ batch, height, width, channels }: Sizes) => [batch * height * width, channels];
const clouds = ({ batch, height, width, channels }: Sizes) => [batch, height * width, channels];
const labelsOf = ({ batch, height, width, channels }: Sizes) =>
  gpu().tensor(
    Int32Array.from({ length: batch * height * width }, (_, i) => (i * 7) % channels),
    [batch * height * width],
  );
const normOptions = (channels: number, training: boolean): BatchNormOptions => ({
  runningMean: gpu().tensor(argument('running mean', [channels]).data, [channels]),
  runningVar: gpu().tensor(argument('running variance', [channels], 0.5, 2).data, [channels]),
  training,
  slope: 0.2,
});

/** Each op with the shapes of its leaves. */
const OPS: Record<string, { leaves: (sizes: Sizes) => number[][]; op: Op }> = {
  add: { leaves: (s) => [images(s), images(s)], op: ([x, y]) => add(x, y) },
  'mul, repeated': { leaves: (s) => [images(s), [s.channels]], op: ([x, y]) => mul(x, y) },
  'div by one number': { leaves: (s) => [images(s), [1]], op: ([x, y]) => div(x, y) },
  tanh: { leaves: (s) => [images(s)], op: ([x]) => tanh(x) },
  mean: { leaves: (s) => [images(s)], op: ([x]) => mean(x) },
  globalMaxPool: { leaves: (s) => [images(s)], op: ([x]) => globalMaxPool(x) },
  globalMeanPool: { leaves: (s) => [images(s)], op: ([x]) => globalMeanPool(x) },
  maxPool2d: { leaves: (s) => [images(s)], op: ([x]) => maxPool2d(x, { kernel: 3, stride: 2, padding: 1 }) },
  conv2d: {
    leaves: (s) => [images(s), [3, 2, s.channels, s.outChannels]],
    op: ([x, weight]) => conv2d(x, weight, { stride: [1, 2], padding: 1 }),
  },
  'matmul of rows': { leaves: (s) => [matrix(s), [s.channels, s.outChannels]], op: ([a, b]) => matmul(a, b) },
  'matmul, a transposed': {
    leaves: (s) => [matrix(s), [s.batch * s.height * s.width, s.outChannels]],
    op: ([a, b]) => matmul(a, b, { transposeA: true }),
  },
  'matmul of batches': {
    leaves: (s) => [clouds(s), [s.batch, s.outChannels, s.channels]],
    op: ([a, b]) => matmul(a, b, { transposeB: true }),
  },
  'batchNorm in training': {
    leaves: (s) => [images(s), [s.channels], [s.channels]],
    op: ([x, gamma, beta], { channels }) => batchNorm(x, gamma, beta, normOptions(channels, true)),
  },
  'batchNorm with a residual, in evaluation': {
    leaves: (s) => [images(s), [s.channels], [s.channels], images(s)],
    op: ([x, gamma, beta, residual], { channels }) =>
      batchNorm(x, gamma, beta, { ...normOptions(channels, false), residual }),
  },
  edgeConv: {
    leaves: (s) => [clouds(s), [2 * s.channels, s.outChannels], [s.outChannels], [s.outChannels]],
    op: ([x, weight, gamma, beta], { outChannels }) =>
      edgeConv(x, knn(x, Math.min(5, x.shape[1])), weight, gamma, beta, normOptions(outChannels, true)),
  },
  l2Normalize: { leaves: (s) => [matrix(s)], op: ([x]) => l2Normalize(x) },
  'concat of channels': { leaves: (s) => [images(s), images(s)], op: ([x, y]) => concat([x, y], -1) },
  gather: { leaves: (s) => [[s.channels, s.outChannels]], op: ([x], sizes) => gather(x, labelsOf(sizes)) },
  softmaxCrossEntropy: { leaves: (s) => [matrix(s)], op: ([x], s) => softmaxCrossEntropy(x, labelsOf(s)) },
  softCrossEntropy: { leaves: (s) => [matrix(s)], op: ([x]) => softCrossEntropy(x, softmax(x, 0.5)) },
  rcll: { leaves: (s) => [matrix(s)], op: ([x], s) => rcll(x, labelsOf(s)) },
  contrastive: { leaves: (s) => [[2 * s.batch, s.channels]], op: ([x]) => contrastive(x, { tau: 0.2 }) },
};

const sizes: fc.Arbitrary<Sizes> = fc.record({
  batch: fc.constantFrom(1, 3, 8, 17),
  height: fc.constantFrom(3, 4, 7),
  width: fc.constantFrom(3, 5, 8),
  channels: fc.constantFrom(2, 3, 4, 8, 12),
  outChannels: fc.constantFrom(3, 4, 8),
});

// Sums over all rows are added window by window, so their last digits may differ.
const tolerance = { rtol: 1e-4, atol: 1e-5 };

for (const [name, { leaves, op }] of Object.entries(OPS)) {
  test(`${name}: in windows as in one piece`, async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.constantFrom(...VARIANTS), async (size, variant) => {
        await withVariant(gpu(), variant, async () => {
          using _ = gpu().scope();
          const inputs = leaves(size).map((shape, i) => gpu().tensor(argument(`${name} ${i}`, shape).data, shape));
          const run = () => forwardBackward(gpu(), inputs, () => op(inputs, size));
          const whole = await run();
          const cut = await inWindows(run);
          assertClose(`${name} [${inputs.map((x) => `[${x.shape}]`)}]`, cut.output, whole.output, tolerance);
          whole.gradients.forEach((gradient, i) => {
            assertClose(`${name}: gradient ${i} [${inputs[i].shape}]`, cut.gradients[i], gradient, tolerance);
          });
        });
      }),
      { numRuns: times(8) },
    );
  });
}

test('knn, argmax and the assignment of k-means: in windows as in one piece', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, fc.constantFrom(...VARIANTS), async (size, variant) => {
      await withVariant(gpu(), variant, async () => {
        using _ = gpu().scope();
        const x = gpu().tensor(argument('x', clouds(size)).data, clouds(size));
        const rows = x.view(matrix(size));
        const centres = gpu().tensor(argument('centres', [4, size.channels]).data, [4, size.channels]);
        const run = async () => [
          ...(await knn(x, 4).read()),
          ...(await argmax(rows).read()),
          ...(await assign(rows, centres).labels.read()),
        ];
        assert.equal(await inWindows(run), await run());
      });
    }),
    { numRuns: times(10) },
  );
});

test('random numbers: in windows as in one piece', async () => {
  for (const draw of [randomUniform, randomNormal]) {
    const run = () => draw(gpu(), [997], [3, 4]).readFloats();
    assert.equal(await inWindows(run), await run());
  }
});

test('windows follow each other, begin where a binding may begin and cover everything once', async () => {
  await inWindows(async () => {
    const x = gpu().empty([50, 7, 5]);
    const { minStorageBufferOffsetAlignment: alignment } = gpu().device.limits;
    let next = 0;
    for (const { tensors, from, count } of windows(gpu(), { x }, { items: 50, per: { x: 35 } })) {
      assert.is(from, next);
      assert.is(tensors.x.size, 35 * count);
      assert.is(tensors.x.offset % alignment, 0);
      assert.is(tensors.x.offset, 4 * 35 * from);
      next += count;
    }
    assert.is(next, 50);
  });
});

test('an item that is too large is named', () => {
  const limit = gpu().device.limits.maxStorageBufferBindingSize;
  const x = gpu().empty([1, 64 * Math.ceil(limit / 256) + 64]); // a window may start after it, whatever the limit is
  const cut = () => [...windows(gpu(), { x }, { items: 1, per: { x: x.size } })];
  assert.throws(cut, /x \[1,\d+\]: 1 items of \d+ bytes are the smallest window, the GPU binds at most/);
  x.dispose();
});

test.run();

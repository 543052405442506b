/**
 * Linear ops: <A x, y> = <x, A^T y> for all x and y, where backward computes A^T y. Both products are computed in
 * float64 from the GPU's results, so this checks forward and backward against each other without a reference.
 */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { batchNorm } from '../../src/autograd/batch_norm.ts';
import { concat } from '../../src/autograd/concat.ts';
import { conv2d } from '../../src/autograd/conv2d.ts';
import { edgeConv } from '../../src/autograd/edge_conv.ts';
import { gather, scatterAdd } from '../../src/autograd/gather.ts';
import { matmul } from '../../src/autograd/matmul.ts';
import { add, div, mul, neg, scale, sub } from '../../src/autograd/pointwise.ts';
import { globalMeanPool, mean, sum } from '../../src/autograd/reduce.ts';
import { reshape } from '../../src/autograd/reshape.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { forwardBackward } from '../support/backward.ts';
import { hashUniform } from '../support/fixture.ts';
import { gpuSuite, times, VARIANTS, withVariant } from '../support/gpu.ts';
import { argument } from '../support/gradcheck.ts';
import { recordError } from '../support/records.ts';

const { test, gpu } = gpuSuite('adjoint');

/** Relative to the larger of |A x| |y| and |x| |A^T y|. f32 rounds to 6e-8; sums of hundreds of terms lose more. */
const BOUND = 1e-5;

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
};

const norm = (a: ArrayLike<number>): number => Math.sqrt(dot(a, a));

async function check(name: string, shape: readonly number[], op: (x: Tensor) => Tensor): Promise<void> {
  using _ = gpu().scope();
  const values = argument(`${name} x`, shape).data;
  const x = gpu().tensor(values, shape);
  const y = Float32Array.from(hashUniform(`${name} y`, op(x).size));
  const { output, gradients } = await forwardBackward(gpu(), [x], () => op(x), y);
  const [left, right] = [dot(output, y), dot(values, gradients[0])];
  const scale = Math.max(norm(output) * norm(y), norm(values) * norm(gradients[0]));
  const error = left === right ? 0 : Math.abs(left - right) / scale;
  recordError(name, 'adjoint', error, BOUND);
  assert.ok(error <= BOUND, `${name} [${shape}]: <A x, y> is ${left}, <x, A^T y> is ${right}`);
}

const fixed = (name: string, shape: readonly number[], low = -1, high = 1) =>
  gpu().tensor(argument(name, shape, low, high).data, shape);
const length = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 31, 32, 33);
const runs = { numRuns: times(15) };

test('matmul, in either argument', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ rows: length, inner: length, columns: length, transposeA: fc.boolean(), transposeB: fc.boolean() }),
      fc.constantFrom(...VARIANTS),
      async ({ rows, inner, columns, ...transposes }, variant) => {
        const a = transposes.transposeA ? [inner, rows] : [rows, inner];
        const b = transposes.transposeB ? [columns, inner] : [inner, columns];
        await withVariant(gpu(), variant, async () => {
          await check('matmul', a, (x) => matmul(x, fixed('b', b), transposes));
          await check('matmul', b, (x) => matmul(fixed('a', a), x, transposes));
        });
      },
    ),
    runs,
  );
});

test('conv2d, in the image and in the weight', async () => {
  const geometry = fc.record({
    height: fc.integer({ min: 7, max: 13 }),
    width: fc.integer({ min: 7, max: 13 }),
    kernelHeight: fc.integer({ min: 1, max: 7 }),
    kernelWidth: fc.integer({ min: 1, max: 7 }),
    stride: fc.constantFrom([1, 1] as const, [2, 2] as const, [3, 2] as const),
    padding: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
    channels: fc.constantFrom(1, 3, 4, 8, 20),
    outChannels: fc.constantFrom(1, 4, 5, 12),
  });
  await fc.assert(
    fc.asyncProperty(geometry, fc.constantFrom(...VARIANTS), async (g, variant) => {
      const options = { stride: g.stride, padding: g.padding };
      const images = [2, g.height, g.width, g.channels];
      const weights = [g.kernelHeight, g.kernelWidth, g.channels, g.outChannels];
      await withVariant(gpu(), variant, async () => {
        await check('conv2d', images, (x) => conv2d(x, fixed('weight', weights), options));
        await check('conv2d', weights, (weight) => conv2d(fixed('x', images), weight, options));
      });
    }),
    { numRuns: times(30) },
  );
});

test('gather, concat, reshape, pooling, sums', async () => {
  await fc.assert(
    fc.asyncProperty(length, length, length, async (a, b, c) => {
      const index = Int32Array.from({ length: b }, (_, i) => (i * 5 + 1) % a);
      await check('gather', [a, c], (x) => gather(x, gpu().tensor(index, [b])));
      for (const axis of [0, 1, 2]) {
        const other = [a, b, c].map((side, i) => (i === axis ? 3 : side));
        await check('concat', [a, b, c], (x) => concat([x, gpu().zeros(other), x], axis));
      }
      await check('reshape', [a, b, c], (x) => reshape(x, [c, a * b]));
      await check('globalMeanPool', [a, b, c], globalMeanPool);
      await check('sum', [a, b, c], sum);
      await check('mean', [a, b, c], mean);
    }),
    runs,
  );
});

test('scatterAdd is the transpose of gather', async () => {
  await fc.assert(
    fc.asyncProperty(length, length, length, async (sources, rows, channels) => {
      using _ = gpu().scope();
      const index = gpu().tensor(
        Int32Array.from({ length: rows }, (_, i) => (i * i) % sources),
        [rows],
      );
      const x = argument('x', [sources, channels]);
      const y = argument('y', [rows, channels]);
      const gathered = await gather(gpu().tensor(x.data, x.shape), index).readFloats();
      const scattered = await scatterAdd(gpu().tensor(y.data, y.shape), index, sources).readFloats();
      const scale = Math.max(norm(gathered) * norm(y.data), norm(x.data) * norm(scattered));
      const error = Math.abs(dot(gathered, y.data) - dot(x.data, scattered)) / scale;
      recordError('scatterAdd', 'adjoint', error, BOUND);
      assert.ok(error <= BOUND, `scatterAdd: [${x.shape}] to [${y.shape}]: ${error}`);
    }),
    runs,
  );
});

test('pointwise, in either argument', async () => {
  await fc.assert(
    fc.asyncProperty(length, length, async (a, b) => {
      await check('neg', [a, b], neg);
      await check('scale', [a, b], (x) => scale(x, -2.5));
      await check('add', [a, b], (x) => add(x, x));
      for (const repeated of [[a, b], [b], [1]]) {
        await check('add', repeated, (y) => add(gpu().zeros([a, b]), y));
        await check('sub', repeated, (y) => sub(gpu().zeros([a, b]), y));
        await check('mul', repeated, (y) => mul(fixed('factor', [a, b]), y));
        await check('mul', [a, b], (x) => mul(x, fixed('factor', repeated)));
        await check('div', [a, b], (x) => div(x, fixed('divisor', repeated, 0.5, 2)));
      }
    }),
    runs,
  );
});

test('edgeConv with one neighbour and batchNorm in evaluation, in x and in the weight', async () => {
  await fc.assert(
    fc.asyncProperty(length, length, length, async (points, channels, outChannels) => {
      using _ = gpu().scope();
      const options = {
        training: false,
        runningMean: gpu().zeros([outChannels]),
        runningVar: fixed('variance', [outChannels], 0.5, 2),
      };
      const [gamma, beta] = [fixed('gamma', [outChannels]), gpu().zeros([outChannels])];
      const named = Int32Array.from({ length: 2 * points }, (_, i) => (i * 5 + 1) % points);
      const graph = gpu().tensor(named, [2, points, 1]);
      const [cloud, weights] = [
        [2, points, channels],
        [2 * channels, outChannels],
      ];
      const edges = (x: Tensor, weight: Tensor) => edgeConv(x, graph, weight, gamma, beta, options);
      await check('edgeConv', cloud, (x) => edges(x, fixed('weight', weights)));
      await check('edgeConv', weights, (weight) => edges(fixed('x', cloud), weight));
      await check('batchNorm', [points, outChannels], (x) => batchNorm(x, gamma, beta, options));
    }),
    runs,
  );
});

test.run();

/**
 * Linear ops: <A x, y> = <x, A^T y> for all x and y, where A^T y is what backward makes of y. Both products are formed in float64
 * from what the GPU returned, so this holds forward and backward to each other without any reference.
 */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { concat } from '../../src/autograd/concat.ts';
import { conv2d } from '../../src/autograd/conv2d.ts';
import { gather } from '../../src/autograd/gather.ts';
import { globalMeanPool, mean, sum } from '../../src/autograd/global_pool.ts';
import { matmul } from '../../src/autograd/matmul.ts';
import { add, neg, scale, sub } from '../../src/autograd/pointwise.ts';
import { reshape } from '../../src/autograd/reshape.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { forwardBackward } from '../support/backward.ts';
import { hashUniform } from '../support/fixture.ts';
import { gpuSuite, VARIANTS, withVariant } from '../support/gpu.ts';
import { argument } from '../support/gradcheck.ts';
import { recordError } from '../support/records.ts';

const { test, gpu } = gpuSuite('adjoint');

/** Of |A x| |y|. f32 has 6e-8; sums of hundreds of terms lose some digits. */
const BOUND = 1e-5;

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
};

async function check(name: string, shape: readonly number[], op: (x: Tensor) => Tensor): Promise<void> {
  using _ = gpu().scope();
  const x = gpu().tensor(argument(`${name} x`, shape).data, shape);
  const outputs = op(x).size;
  const y = Float32Array.from(hashUniform(`${name} y`, outputs));
  const { output, gradients } = await forwardBackward(gpu(), [x], () => op(x), y);
  const [left, right] = [dot(output, y), dot(await x.readFloats(), gradients[0])];
  const error = Math.abs(left - right) / (Math.sqrt(dot(output, output) * dot(y, y)) + 1e-30);
  recordError(name, 'adjoint', error, BOUND);
  assert.ok(error <= BOUND, `${name} [${shape}]: <A x, y> is ${left}, <x, A^T y> is ${right}`);
}

const fixed = (name: string, shape: readonly number[]) => gpu().tensor(argument(name, shape).data, shape);
const length = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 31, 32, 33);
const runs = { numRuns: 15 };

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
    stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
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
    { numRuns: 30 },
  );
});

test('gather, concat, reshape, pooling, sums', async () => {
  await fc.assert(
    fc.asyncProperty(length, length, length, async (a, b, c) => {
      const index = Int32Array.from({ length: b }, (_, i) => (i * 5 + 1) % a);
      await check('gather', [a, c], (x) => gather(x, gpu().tensor(index, [b])));
      await check('concat', [a, b, c], (x) => concat([x, gpu().zeros([a, b, 3]), x], -1));
      await check('reshape', [a, b, c], (x) => reshape(x, [c, a * b]));
      await check('globalMeanPool', [a, b, c], globalMeanPool);
      await check('sum', [a, b, c], sum);
      await check('mean', [a, b, c], mean);
    }),
    runs,
  );
});

test('pointwise', async () => {
  await fc.assert(
    fc.asyncProperty(length, length, async (a, b) => {
      await check('neg', [a, b], neg);
      await check('scale', [a, b], (x) => scale(x, -2.5));
      await check('add', [a, b], (x) => add(x, x));
      await check('sub', [b], (y) => sub(gpu().zeros([a, b]), y));
    }),
    runs,
  );
});

test.run();

/** Pooling over everything, sums and means against the float64 references. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { columnSums } from '../../src/autograd/elementary.ts';
import { globalMaxPool, globalMeanPool, mean, sum } from '../../src/autograd/reduce.ts';
import * as pointwise from '../reference/pointwise.ts';
import * as reference from '../reference/pooling.ts';
import { forwardBackward } from '../support/backward.ts';
import { assertClose, assertValues, EXACTLY } from '../support/close.ts';
import { gpuSuite, times } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('globalPool');

// A sum is computed in splits of 128 rows, so these need one, two and three passes.
const cases = fc.record({
  batch: fc.constantFrom(1, 2, 3),
  rows: fc.constantFrom(1, 2, 63, 64, 65, 127, 128, 129, 300),
  channels: fc.constantFrom(1, 3, 4, 5, 8, 20),
});

test('globalMaxPool and globalMeanPool', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ batch, rows, channels }) => {
      const inputs = [argument('x', [batch, rows, channels])];
      for (const [name, op, exact] of [
        ['globalMaxPool', globalMaxPool, reference.globalMaxPool],
        ['globalMeanPool', globalMeanPool, reference.globalMeanPool],
      ] as const) {
        await gradcheck(gpu(), {
          name,
          inputs,
          op: ([x]) => op(x),
          reference: ([x]) => exact(x, batch, rows, channels),
        });
      }
    }),
    { numRuns: times(15) },
  );
});

test('images: all axes between the first and the last', async () => {
  await gradcheck(gpu(), {
    name: 'globalMeanPool of images',
    inputs: [argument('x', [2, 3, 5, 4])],
    op: ([x]) => globalMeanPool(x),
    reference: ([x]) => reference.globalMeanPool(x, 2, 15, 4),
  });
});

test('sum and mean', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ batch, rows, channels }) => {
      const inputs = [argument('x', [batch, rows, channels])];
      await gradcheck(gpu(), {
        name: 'sum',
        inputs,
        op: ([x]) => sum(x),
        reference: ([x]) => [pointwise.sum(x)],
        tolerance: { rtol: 1e-4, atol: 1e-3 },
      });
      await gradcheck(gpu(), {
        name: 'mean',
        inputs,
        op: ([x]) => mean(x),
        reference: ([x]) => [pointwise.sum(x) / x.length],
      });
    }),
    { numRuns: times(15) },
  );
});

test('a sum of 40,000 numbers takes three passes', async () => {
  using _ = gpu().scope();
  const { data } = argument('x', [40000], 0, 1);
  const total = await sum(gpu().tensor(data, [40000])).readFloats();
  assertValues('sum', total, [pointwise.sum(data)], { rtol: 1e-5, atol: 0 });
});

test('columnSums keeps batches apart and scales once', async () => {
  using _ = gpu().scope();
  for (const channels of [3, 4]) {
    const [batches, rows] = [2, 300];
    const { data } = argument('x', [batches, rows, channels]);
    const sums = columnSums(gpu().tensor(data, [batches, rows, channels]), batches, channels, 0.5 * rows);
    const expected = reference.globalMeanPool(data, batches, rows, channels).map((value) => 0.5 * rows * rows * value);
    assertValues('columnSums', await sums.readFloats(), expected, { rtol: 1e-4, atol: 1e-2 });
  }
});

test('globalMaxPool with many ties: the first of equals wins the gradient', async () => {
  await fc.assert(
    fc.asyncProperty(cases, fc.constantFrom(0, 1, 3), async ({ batch, rows, channels }, levels) => {
      const { data, shape } = argument('x', [batch, rows, channels], -levels, levels);
      const whole = data.map(Math.round);
      const x = gpu().tensor(whole, shape);
      const { gradients } = await forwardBackward(gpu(), [x], () => globalMaxPool(x));
      x.dispose();
      const pool = (values: Float64Array) => reference.globalMaxPool(values, batch, rows, channels);
      assertValues('globalMaxPool, ties', gradients[0], reference.winnings(whole, pool), EXACTLY);
    }),
    { numRuns: times(15) },
  );
});

test('of equal values the first wins the gradient', async () => {
  for (const [values, channels, expected] of [
    [[2, 3, 3, 1], 1, [0, 1, 0, 0]],
    [[1, 1, 1, 1, 1, 1, 1, 1], 4, [1, 1, 1, 1, 0, 0, 0, 0]],
    [[-3.4e38, -3.4e38], 1, [1, 0]],
  ] as const) {
    const x = gpu().tensor(values, [1, values.length / channels, channels]);
    const { gradients } = await forwardBackward(gpu(), [x], () => globalMaxPool(x));
    assertClose('gradient', gradients[0], expected, { rtol: 0, atol: 0 });
  }
});

test('something to pool over is needed', () => {
  assert.throws(() => globalMaxPool(gpu().empty([2, 3])), /globalMaxPool: .*x \[2,3\]/);
  assert.throws(() => globalMeanPool(gpu().empty([3])), /globalMeanPool: .*x \[3\]/);
});

test.run();

/** Nearest neighbours against the float64 reference, with and without ties. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { knn } from '../../src/autograd/knn.ts';
import * as reference from '../reference/knn.ts';
import { assertClose } from '../support/close.ts';
import { gpuSuite } from '../support/gpu.ts';
import { argument } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('knn');
const exact = { rtol: 0, atol: 0 };
const size = (max: number) => fc.integer({ min: 1, max });

async function check(data: Float32Array, shape: number[], k: number): Promise<void> {
  using _ = gpu().scope();
  const neighbours = await knn(gpu().tensor(data, shape), k).read();
  assertClose('neighbours', neighbours, reference.knn(data, shape, k), exact);
}

test('points in general position', async () => {
  const channels = fc.constantFrom(2, 3, 4, 8, 13);
  await fc.assert(
    fc.asyncProperty(size(3), size(60), channels, size(25), async (batch, points, width, k) => {
      const shape = [batch, points, width];
      await check(argument(`knn ${shape}`, shape).data, shape, Math.min(k, points));
    }),
    { numRuns: 25 },
  );
});

test('ties go to the lower index', async () => {
  await fc.assert(
    fc.asyncProperty(size(300), size(4), size(40), async (points, channels, k) => {
      const shape = [2, points, channels];
      const grid = argument('grid', shape).data.map((value) => Math.round(2 * value));
      await check(grid, shape, Math.min(k, points));
    }),
    { numRuns: 25 },
  );
});

test('k outside of 1 to points is an error', () => {
  const x = gpu().empty([1, 5, 3]);
  assert.throws(() => knn(x, 6), /k is 6/);
  assert.throws(() => knn(x, 0), /k is 0/);
});

test.run();

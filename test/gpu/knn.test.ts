/** Nearest neighbours against the float64 reference: the same indices in the same order, with and without ties. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { knn } from '../../src/autograd/knn.ts';
import * as reference from '../reference/knn.ts';
import { assertValues, EXACTLY } from '../support/close.ts';
import { hashUniform } from '../support/fixture.ts';
import { gpuSuite, times, VARIANTS, withVariant } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('knn');

/**
 * Coordinates are integers, so that distances are exact in f32 and ties are exact.
 * @param range coordinates are from 0 to range; a small range gives many ties
 */
async function check(shape: number[], k: number, range: number): Promise<void> {
  const [batch, points, channels] = shape;
  const unit = hashUniform(`knn ${shape} ${range}`, batch * points * channels);
  const data = Float32Array.from(unit, (u) => Math.floor(((u + 1) / 2) * (range + 1)));
  const expected = reference.knn(data, shape, k);
  for (const variant of VARIANTS.slice(0, 2)) {
    using _ = gpu().scope();
    const neighbours = await withVariant(gpu(), variant, () => knn(gpu().tensor(data, shape), k).read());
    assertValues(`knn ${variant}: x [${shape}], k ${k}, range ${range}`, neighbours, expected, EXACTLY);
  }
}

const shapes = fc.record({
  batch: fc.constantFrom(1, 2, 3),
  points: fc.constantFrom(1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 40, 63, 64, 65),
  channels: fc.constantFrom(1, 2, 3, 4, 5, 8, 13),
});

for (const [name, range] of [
  ['almost without ties', 1000],
  ['many ties', 3],
  ['all points are one', 0],
] as const) {
  test(name, async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 20), ({ batch, points, channels }, k) =>
        check([batch, points, channels], Math.min(k, points), range),
      ),
      { numRuns: times(20) },
    );
  });
}

test('k of 1 and of all points', async () => {
  for (const points of [1, 5, 8, 64, 65]) {
    for (const range of [3, 1000]) {
      await check([2, points, 3], 1, range);
      await check([2, points, 3], points, range);
    }
  }
});

test('more neighbours than a list holds: 64, 65, 128, all', async () => {
  for (const points of [131, 132]) {
    for (const channels of [3, 4]) {
      for (const k of [63, 64, 65, 128, 129, points]) await check([1, points, channels], k, channels === 3 ? 2 : 50);
    }
  }
});

test('so many queries that each has one invocation on a GPU', () => check([800, 41, 3], 7, 1000));

test('the nearest of a point is itself, also far from the origin', async () => {
  using _ = gpu().scope();
  const data = Float32Array.from(hashUniform('far', 40 * 3), (u) => 1000 + u);
  const nearest = await knn(gpu().tensor(data, [1, 40, 3]), 1).read();
  assert.equal([...nearest], [...nearest.keys()]);
});

test('k outside of 1 to points is an error', () => {
  const x = gpu().empty([1, 5, 3]);
  assert.throws(() => knn(x, 6), /knn: x or k = 6 does not fit \(x \[1,5,3\]\)/);
  assert.throws(() => knn(x, 0), /k = 0/);
  assert.throws(() => knn(x, 1.5), /k = 1.5/);
  assert.throws(() => knn(gpu().empty([5, 3]), 1), /x \[5,3\]/);
});

test.run();

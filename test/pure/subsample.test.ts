/** How points are chosen from a cloud. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { farthestIndices, sampleCloud } from '../../src/data/subsample.ts';
import { Random } from '../../src/tensor/random.ts';

const test = suite('subsamples of clouds');
const sizes = fc.integer({ min: 1, max: 90 });
const seeds = fc.integer({ min: 0, max: 2 ** 31 });

function cloudOf(total: number, seed: number): Float32Array {
  const random = new Random(seed, 'cloud');
  return Float32Array.from({ length: 3 * total }, () => random.uniform(-1, 1));
}
const pointsOf = (cloud: Float32Array): string[] =>
  Array.from({ length: cloud.length / 3 }, (_, i) => String(cloud.subarray(3 * i, 3 * i + 3)));
const squared = (cloud: Float32Array, i: number, j: number): number =>
  [0, 1, 2].reduce((sum, axis) => sum + (cloud[3 * i + axis] - cloud[3 * j + axis]) ** 2, 0);

test('each farthest point is the candidate whose nearest chosen point is farthest away', () => {
  fc.assert(
    fc.property(sizes, sizes, seeds, (count, more, seed) => {
      const cloud = cloudOf(count + more, seed);
      const candidates = new Random(seed).permutation(count + more);
      const chosen = [...farthestIndices(cloud, candidates, count)];
      assert.is(chosen[0], candidates[0]);
      const away = (index: number, from: number[]) => Math.min(...from.map((other) => squared(cloud, index, other)));
      chosen.slice(1).forEach((index, i) => {
        const before = chosen.slice(0, i + 1);
        assert.is(away(index, before), Math.max(...Array.from(candidates, (other) => away(other, before))));
      });
    }),
  );
});

test('points that coincide are chosen last', () => {
  const cloud = Float32Array.from([0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0]);
  assert.equal([...farthestIndices(cloud, Uint32Array.from([0, 1, 2, 3, 4]), 4)], [0, 2, 4, 0]);
});

for (const sampling of ['random', 'farthest'] as const) {
  test(`${sampling}: points of the cloud, each at most once where there are enough, at least once where not`, () => {
    fc.assert(
      fc.property(sizes, sizes, fc.option(seeds, { nil: undefined }), (total, points, seed) => {
        const cloud = cloudOf(total, 7);
        const own = new Set(pointsOf(cloud));
        const sample = sampleCloud(cloud, { points, sampling }, seed === undefined ? undefined : new Random(seed));
        assert.is(sample.length, 3 * points);
        assert.is(new Set(pointsOf(sample)).size, Math.min(total, points));
        assert.ok(pointsOf(sample).every((point) => own.has(point)));
      }),
    );
  });

  test(`${sampling}: the same points without random numbers, others with others`, () => {
    const cloud = cloudOf(500, 3);
    const [a, b, c, d] = [undefined, undefined, 1, 2].map((seed) =>
      pointsOf(sampleCloud(cloud, { points: 50, sampling }, seed === undefined ? undefined : new Random(seed))),
    );
    assert.equal(a, b);
    assert.not.equal(c, d);
  });
}

test('farthest points leave no part of a shape without one', () => {
  // A line of 400 points, of which 100 are chosen: 4 steps apart at best.
  const line = Float32Array.from({ length: 1200 }, (_, i) => (i % 3 === 0 ? i / 3 : 0));
  const order = new Random(5).permutation(400);
  const mixed = Float32Array.from({ length: 1200 }, (_, i) => line[3 * order[Math.floor(i / 3)] + (i % 3)]);
  const gapOf = (sampling: 'random' | 'farthest') => {
    const places = [...sampleCloud(mixed, { points: 100, sampling })]
      .filter((_, i) => i % 3 === 0)
      .sort((p, q) => p - q);
    return Math.max(...places.slice(1).map((place, i) => place - places[i]));
  };
  assert.ok(gapOf('farthest') <= 8, `a gap of ${gapOf('farthest')} steps`);
  assert.ok(gapOf('random') > 12, `random points have a gap of ${gapOf('random')} steps`);
});

test('runs from before sampling could be chosen have random points', () => {
  const cloud = cloudOf(300, 9);
  assert.equal(sampleCloud(cloud, { points: 30 }), sampleCloud(cloud, { points: 30, sampling: 'random' }));
});

test.run();

/** Joining small clusters: against the definition of modularity, and on classes that k-means would cut. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { joinClusters, modularityOf } from '../../src/romo/method/modularity.ts';
import { Random } from '../../src/tensor/random.ts';

/** Q = sum over c of e_cc - a_c^2, times the square of the number of ends: whole numbers, from the relations one by one. */
function modularity(labels: ArrayLike<number>, neighbours: readonly Int32Array[]): number {
  const pairs = neighbours.flatMap((others, row) => [...others].map((other) => [labels[row], labels[other]]));
  const ends = pairs.flat();
  return [...new Set(ends)].reduce((sum, cluster) => {
    const within = 2 * pairs.filter(([a, b]) => a === cluster && b === cluster).length;
    const of = ends.filter((end) => end === cluster).length;
    return sum + within * ends.length - of ** 2;
  }, 0);
}

/** Each time the best of all unions. */
function reference(labels: Int32Array, neighbours: readonly Int32Array[], wanted: number): Int32Array {
  let current = [...labels];
  for (let left = new Set(current); left.size > wanted; left = new Set(current)) {
    const clusters = [...left].sort((a, b) => a - b);
    let best = { q: Number.NEGATIVE_INFINITY, labels: current };
    for (const into of clusters) {
      for (const from of clusters.filter((other) => other > into)) {
        const joined = current.map((label) => (label === from ? into : label));
        const q = modularity(joined, neighbours);
        if (q > best.q) best = { q, labels: joined };
      }
    }
    current = best.labels;
  }
  const numbers = [...new Set(current)].sort((a, b) => a - b);
  return Int32Array.from(current, (label) => numbers.indexOf(label));
}

const drawn = (objects: number, clusters: number, k: number, seed: number) => {
  const random = new Random(seed, 'modularity');
  const labels = Int32Array.from({ length: objects }, () => random.integer(clusters));
  const neighbours = Array.from(labels, () => Int32Array.from({ length: k }, () => random.integer(objects)));
  return { labels, neighbours };
};

test('modularity: as by definition; classes as they are hold better than two of them as one', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(),
      (objects, clusters, seed) => {
        const { labels, neighbours } = drawn(objects, clusters, 3, seed);
        const expected = modularity(labels, neighbours) / (6 * objects) ** 2;
        assert.ok(Math.abs(modularityOf(labels, neighbours, clusters) - expected) < 1e-12);
      },
    ),
  );
  const classes = Int32Array.from({ length: 40 }, (_, row) => row % 4);
  const own = Array.from(classes, (_, row) => Int32Array.of((row + 4) % 40, (row + 8) % 40));
  assert.is(modularityOf(classes, own, 4), 0.75);
  assert.is(
    modularityOf(
      classes.map((label) => Math.min(label, 2)),
      own,
      4,
    ),
    0.625,
  );
});

test('the union that is best for the modularity, each time', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(),
      (objects, clusters, k, wanted, seed) => {
        const { labels, neighbours } = drawn(objects, clusters, k, seed);
        assert.equal(joinClusters(labels, neighbours, clusters, wanted), reference(labels, neighbours, wanted));
      },
    ),
    { numRuns: 150 },
  );
});

test('a large class that was cut is whole again, a small one stays alone', () => {
  // 60 objects that were cut in six pieces, whose neighbours are anywhere among them, and 8 objects apart.
  const labels = Int32Array.from({ length: 68 }, (_, row) => (row < 60 ? Math.floor(row / 10) : 6));
  const neighbours = Array.from(labels, (_, row) =>
    Int32Array.from([7, 19, 31, 53].map((step) => (row < 60 ? (row + step) % 60 : 60 + ((row + step) % 8)))),
  );
  const joined = joinClusters(labels, neighbours, 7, 2);
  assert.equal(
    [...joined],
    [...labels].map((label) => Number(label === 6)),
  );
});

test('clusters without objects are none, and fewer than wanted stay as they are', () => {
  const neighbours = [Int32Array.of(1), Int32Array.of(0), Int32Array.of(0)];
  assert.equal([...joinClusters(Int32Array.of(5, 2, 5), neighbours, 8, 4)], [1, 0, 1]);
});

test.run();

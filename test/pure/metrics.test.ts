/** Retrieval and clustering metrics against naive implementations of their definitions. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { clusterAccuracy, meanAveragePrecision } from '../../src/romo/figures/metrics.ts';
import { hungarian } from '../../src/romo/hungarian.ts';

const test = suite('metrics');

/** All ways to pick `count` different columns in order. */
function* arrangements(columns: number, count: number, taken: number[] = []): Generator<number[]> {
  if (taken.length === count) yield taken;
  else for (let c = 0; c < columns; c++) if (!taken.includes(c)) yield* arrangements(columns, count, [...taken, c]);
}

function leastCost(cost: number[][]): number {
  const [rows, columns] = [cost.length, cost[0].length];
  const wide = rows <= columns ? cost : cost[0].map((_, column) => cost.map((row) => row[column]));
  let least = Number.POSITIVE_INFINITY;
  for (const picked of arrangements(Math.max(rows, columns), Math.min(rows, columns))) {
    least = Math.min(
      least,
      picked.reduce((sum, column, row) => sum + wide[row][column], 0),
    );
  }
  return least;
}

const costMatrix = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })).chain(([rows, columns]) =>
  fc.array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: columns, maxLength: columns }), {
    minLength: rows,
    maxLength: rows,
  }),
);

test('hungarian finds the least cost of all assignments, square or not', () => {
  fc.assert(
    fc.property(costMatrix, (cost) => {
      const assignment = [...hungarian(cost)];
      const used = assignment.filter((column) => column >= 0);
      assert.is(new Set(used).size, used.length);
      assert.is(used.length, Math.min(cost.length, cost[0].length));
      const total = assignment.reduce((sum, column, row) => sum + (column < 0 ? 0 : cost[row][column]), 0);
      assert.is(total, leastCost(cost));
    }),
    { numRuns: 300 },
  );
});

test('hungarian takes empty matrices and refuses ragged ones', () => {
  assert.equal([...hungarian([])], []);
  assert.equal([...hungarian([[], []])], [-1, -1]);
  assert.throws(() => hungarian([[1, 2], [3]]), /ragged/);
  assert.throws(() => hungarian([[1, Number.NaN]]), /not finite/);
});

test('cluster accuracy is the best match of clusters and classes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 30 }),
      (clusters, classes, samples) => {
        const predicted = samples.map(([cluster]) => cluster % clusters);
        const truth = samples.map(([, label]) => label % classes);
        const counts = Array.from({ length: clusters }, (_, cluster) =>
          Array.from(
            { length: classes },
            (_, label) => -samples.filter((_, i) => predicted[i] === cluster && truth[i] === label).length,
          ),
        );
        const accuracy = clusterAccuracy(predicted, truth, clusters, classes);
        assert.ok(Math.abs(accuracy + leastCost(counts) / samples.length) < 1e-12);
      },
    ),
  );
});

test('cluster accuracy does not see how clusters are numbered', () => {
  const truth = Array.from({ length: 90 }, (_, i) => i % 9);
  assert.is(
    clusterAccuracy(
      truth.map((label) => (label * 4 + 3) % 9),
      truth,
      9,
      9,
    ),
    1,
  );
  assert.is(
    clusterAccuracy(
      truth.map(() => 0),
      truth,
      9,
      9,
    ),
    1 / 9,
  );
  assert.throws(() => clusterAccuracy([0, 3], [0, 1], 3, 2), /sample 1 has cluster 3/);
  assert.throws(() => clusterAccuracy([0], [0, 1], 3, 2), /1 clusters are given for 2 labels/);
});

/** Average precision by definition: the rank of an item is the number of items before it, plus one. */
function naiveMap(queries: number[][], queryLabels: number[], gallery: number[][], galleryLabels: number[]): number {
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const unit = (a: number[]) => a.map((value) => value / Math.sqrt(dot(a, a)));
  const precisions = queries.map((query, q) => {
    const cosines = gallery.map((item) => dot(unit(query), unit(item)));
    const before = (a: number, b: number) => cosines[a] > cosines[b] || (cosines[a] === cosines[b] && a <= b);
    const hits = gallery.map((_, i) => i).filter((i) => galleryLabels[i] === queryLabels[q]);
    const atHit = hits.map((hit) => {
      const rank = gallery.filter((_, i) => before(i, hit)).length;
      return hits.filter((other) => before(other, hit)).length / rank;
    });
    return atHit.length > 0 ? atHit.reduce((a, b) => a + b) / atHit.length : 0;
  });
  return precisions.reduce((a, b) => a + b) / precisions.length;
}

test('mean average precision follows its definition, ties included', () => {
  // Rows of -1 and 1 have equal lengths and many equal cosines, exact in float64 for 4 dimensions.
  const row = fc.array(fc.constantFrom(-1, 1), { minLength: 4, maxLength: 4 });
  const labelled = fc.array(fc.tuple(row, fc.nat(2)), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(labelled, labelled, (queries, gallery) => {
      const queryRows = queries.map(([values]) => values);
      const queryLabels = queries.map(([, label]) => label);
      const galleryRows = gallery.map(([values]) => values);
      const galleryLabels = gallery.map(([, label]) => label);
      const expected = naiveMap(queryRows, queryLabels, galleryRows, galleryLabels);
      const got = meanAveragePrecision(queryRows.flat(), queryLabels, galleryRows.flat(), galleryLabels, 4);
      assert.ok(Math.abs(got - expected) < 1e-12, `${got} instead of ${expected}`);
    }),
    { numRuns: 300 },
  );
});

test('mean average precision by hand', () => {
  const gallery = [1, 0, 0.9, 0.1, 0, 1, -1, 0];
  assert.is(meanAveragePrecision([2, 0], [1], gallery, [1, 0, 1, 0], 2), (1 / 1 + 2 / 3) / 2);
  assert.is(
    meanAveragePrecision([2, 0, 2, 0], [1, 7], gallery, [1, 0, 1, 0], 2),
    (1 / 1 + 2 / 3) / 4,
    'no hit counts 0',
  );
  assert.is(
    meanAveragePrecision([0, 0], [0], gallery, [1, 0, 1, 0], 2),
    (1 / 2 + 2 / 4) / 2,
    'zero query: gallery order',
  );
  assert.throws(() => meanAveragePrecision([1], [0], gallery, [1, 0, 1, 0], 2), /queries has 1 values/);
  assert.throws(() => meanAveragePrecision([Number.NaN, 0], [0], gallery, [1, 0, 1, 0], 2), /row 0 of queries/);
});

test.run();

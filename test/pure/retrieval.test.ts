/** Retrieval metrics against naive implementations of their definitions. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { meanAveragePrecision } from '../../src/romo/figures/metrics.ts';
import { allDirections, CUTS, RECALL_LEVELS, retrievalFigures } from '../../src/romo/figures/retrieval.ts';

const test = suite('retrieval');
const CLASSES = ['a', 'b', 'c'];
const DIMENSION = 3;

const near = (value: number, expected: number): void =>
  assert.ok(Math.abs(value - expected) < 1e-12, `${value} instead of ${expected}`);

const side = fc
  .array(
    fc.record({
      row: fc.array(fc.integer({ min: -3, max: 3 }), { minLength: DIMENSION, maxLength: DIMENSION }),
      label: fc.integer({ min: 0, max: CLASSES.length - 1 }),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((items) => ({
    rows: Float32Array.from(items.flatMap(({ row }) => row)),
    labels: items.map(({ label }) => label),
  }));
type Side = { rows: Float32Array; labels: number[] };

/** Indices of the gallery, nearest first. */
function ranked(queries: Side, query: number, gallery: Side, withoutItself: boolean): number[] {
  const unit = ({ rows }: Side, index: number): number[] => {
    const row = [...rows.subarray(index * DIMENSION, (index + 1) * DIMENSION)];
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    return row.map((value) => (length > 0 ? value * (1 / length) : 0));
  };
  const cosine = (item: number): number => {
    const [a, b] = [unit(queries, query), unit(gallery, item)];
    let sum = 0;
    for (let c = 0; c < DIMENSION; c++) sum += a[c] * b[c];
    return sum;
  };
  const items = gallery.labels.map((_, item) => item).filter((item) => !(withoutItself && item === query));
  return items.sort((a, b) => cosine(b) - cosine(a) || a - b);
}

const mean = (values: number[]): number => (values.length > 0 ? values.reduce((a, b) => a + b, 0) / values.length : 0);

test('every figure is what its definition says', () => {
  fc.assert(
    fc.property(side, side, fc.boolean(), (queries, other, withoutItself) => {
      const gallery = withoutItself ? queries : other;
      const options = { dimension: DIMENSION, classNames: CLASSES, withoutItself };
      const figures = retrievalFigures(queries, gallery, options);
      const hits = queries.labels.map((label, query) =>
        ranked(queries, query, gallery, withoutItself).map((item) => gallery.labels[item] === label),
      );
      const precision = (of: boolean[], k: number) => of.slice(0, k).filter(Boolean).length / k;
      const average = (of: boolean[], k = of.length) => {
        const most = Math.min(k, of.filter(Boolean).length);
        const found = of.slice(0, k).flatMap((hit, i) => (hit ? [precision(of, i + 1)] : []));
        return most > 0 ? found.reduce((a, b) => a + b, 0) / most : 0;
      };
      near(figures.meanAveragePrecision, mean(hits.map((of) => average(of))));
      for (const k of CUTS) {
        near(figures.recallAt[k], mean(hits.map((of) => Number(of.slice(0, k).some(Boolean)))));
        near(figures.averagePrecisionAt[k], mean(hits.map((of) => average(of, k))));
      }
      RECALL_LEVELS.forEach((level, at) => {
        const best = hits.map((of) => {
          const all = of.filter(Boolean).length;
          const reached = of.flatMap((hit, i) =>
            hit && of.slice(0, i + 1).filter(Boolean).length / all >= level ? [precision(of, i + 1)] : [],
          );
          return Math.max(0, ...reached);
        });
        near(figures.precisionAtRecall[at], mean(best));
      });
      CLASSES.forEach((name, label) => {
        const own = hits.filter((_, query) => queries.labels[query] === label);
        const { queries: count, meanAveragePrecision: mAP, recallAt1 } = figures.perClass[label];
        assert.equal([figures.perClass[label].name, count], [name, own.length]);
        near(mAP, mean(own.map((of) => average(of))));
        near(recallAt1, mean(own.map(([first]) => Number(first ?? false))));
      });
      queries.labels.forEach((_, query) => {
        const expected = ranked(queries, query, gallery, withoutItself).slice(0, Math.max(...CUTS));
        assert.equal([...figures.nearest[query]], expected);
      });
      const counted = figures.confusion.flat().reduce((a, b) => a + b, 0);
      assert.is(counted, hits.filter(({ length }) => length > 0).length);
    }),
    { numRuns: 300 },
  );
});

test('across the modalities the mean is that of the table, within them nobody finds himself', () => {
  const images = Float32Array.of(1, 0, 0.9, 0.1, 0, 1, 0.1, 0.9);
  const clouds = Float32Array.of(1, 0.2, 0, 1, 0.3, 1, 1, 0);
  const labels = { classNames: ['a', 'b'], values: Int32Array.of(0, 0, 1, 1) };
  const all = allDirections({ images, clouds, dimension: 2 }, labels);
  const expected = meanAveragePrecision(images, labels.values, clouds, labels.values, 2);
  near(all.imageToPoints.meanAveragePrecision, expected);
  assert.equal(
    all.imageToImage.nearest.map((answers) => [...answers].length),
    [3, 3, 3, 3],
  );
  assert.is(all.imageToImage.recallAt[1], 1);
  all.pointsToPoints.nearest.forEach((answers, query) => {
    assert.not.ok(answers.includes(query));
  });
});

test.run();

/** CCA and PLS: what defines their solutions, held to plain loops in float64, with more rows than columns and with fewer. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cca, type LinearMap, pls, project, type Rows } from '../../src/compare/linear_maps.ts';
import { Random } from '../../src/tensor/random.ts';

const test = suite('linear maps');
const RIDGE = 1;

/** Two views that share `common` hidden numbers per row, with noise. */
function views(rows: number, p: number, q: number, common = 2): [Rows, Rows] {
  const random = new Random(1, 'views', rows, p, q);
  const normals = (count: number) => Float64Array.from({ length: count }, () => random.normal());
  const hidden = normals(rows * common);
  const view = (columns: number): Rows => {
    const mix = normals(common * columns);
    const values = normals(rows * columns).map((noise, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      let sum = 1 + 0.3 * noise;
      for (let h = 0; h < common; h++) sum += hidden[row * common + h] * mix[h * columns + column];
      return sum;
    });
    return { values, columns };
  };
  return [view(p), view(q)];
}

/** x^T y / N of the centred views. */
function covariance(x: Rows, y: Rows): number[][] {
  const rows = x.values.length / x.columns;
  const means = [x, y].map(({ values, columns }) =>
    Array.from({ length: columns }, (_, c) => {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += values[row * columns + c];
      return sum / rows;
    }),
  );
  return Array.from({ length: x.columns }, (_, i) =>
    Array.from({ length: y.columns }, (_, j) => {
      let sum = 0;
      for (let row = 0; row < rows; row++) {
        sum += (x.values[row * x.columns + i] - means[0][i]) * (y.values[row * y.columns + j] - means[1][j]);
      }
      return sum / rows;
    }),
  );
}

const times = (matrix: readonly number[][], vector: readonly number[]) =>
  matrix.map((row) => row.reduce((sum, value, j) => sum + value * vector[j], 0));
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const flipped = (matrix: readonly number[][]) => matrix[0].map((_, j) => matrix.map((row) => row[j]));
const directionOf = ({ weights }: LinearMap, k: number) => weights.getColumn(k);

const close = (what: string, a: readonly number[], b: readonly number[]) => {
  const size = Math.sqrt(dot(a, a) + dot(b, b)) + 1e-9;
  const difference = Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0));
  assert.ok(difference < 1e-6 * size + 1e-9, `${what}: ${difference} of ${size}`);
};

const shapes = fc.constantFrom([60, 5, 4], [40, 3, 7], [12, 20, 6], [10, 15, 30], [9, 6, 25]);

test('CCA: Sxy b = rho Sxx a, Syx a = rho Syy b, unit variances, uncorrelated, the largest first', () => {
  fc.assert(
    fc.property(shapes, ([rows, p, q]) => {
      const [x, y] = views(rows, p, q);
      const maps = cca(x, y, 3);
      const [sxx, syy] = [x, y].map((own) => {
        const matrix = covariance(own, own);
        const ridge = (RIDGE * matrix.reduce((sum, row, i) => sum + row[i], 0)) / own.columns;
        return matrix.map((row, i) => row.map((value, j) => value + (i === j ? ridge : 0)));
      });
      const sxy = covariance(x, y);
      maps.strengths.forEach((rho, k) => {
        const [a, b] = [directionOf(maps.images, k), directionOf(maps.clouds, k)];
        close(
          'Sxy b',
          times(sxy, b),
          times(sxx, a).map((value) => rho * value),
        );
        close(
          'Syx a',
          times(flipped(sxy), a),
          times(syy, b).map((value) => rho * value),
        );
        maps.strengths.forEach((_, other) => {
          const expected = k === other ? 1 : 0;
          assert.ok(Math.abs(dot(a, times(sxx, directionOf(maps.images, other))) - expected) < 1e-6);
          assert.ok(Math.abs(dot(b, times(syy, directionOf(maps.clouds, other))) - expected) < 1e-6);
        });
      });
      assert.ok(maps.strengths[0] > 0.3 && maps.strengths[0] < 1, `${maps.strengths}`);
      assert.equal(
        [...maps.strengths].sort((a, b) => b - a),
        maps.strengths,
      );
      // No random directions do better than the first.
      const random = new Random(2, 'tries');
      for (let i = 0; i < 50; i++) {
        const [a, b] = [p, q].map((length) => Array.from({ length }, () => random.normal()));
        const variance = Math.sqrt(dot(a, times(sxx, a)) * dot(b, times(syy, b)));
        assert.ok(dot(a, times(sxy, b)) / variance <= maps.strengths[0] + 1e-9);
      }
    }),
  );
});

test('PLS: Sxy b = s a, Syx a = s b, orthonormal, the largest first', () => {
  fc.assert(
    fc.property(shapes, ([rows, p, q]) => {
      const [x, y] = views(rows, p, q);
      const maps = pls(x, y, 3);
      const sxy = covariance(x, y);
      maps.strengths.forEach((s, k) => {
        const [a, b] = [directionOf(maps.images, k), directionOf(maps.clouds, k)];
        close(
          'Sxy b',
          times(sxy, b),
          a.map((value) => s * value),
        );
        close(
          'Syx a',
          times(flipped(sxy), a),
          b.map((value) => s * value),
        );
        maps.strengths.forEach((_, other) => {
          assert.ok(Math.abs(dot(a, directionOf(maps.images, other)) - Number(k === other)) < 1e-6);
        });
      });
      assert.equal(
        [...maps.strengths].sort((a, b) => b - a),
        maps.strengths,
      );
    }),
  );
});

test('projected partners are close; rows are unit vectors; there are no more directions than the views allow', () => {
  const [x, y] = views(200, 6, 5);
  for (const fit of [cca, pls]) {
    const maps = fit(x, y, 2);
    const [a, b] = [project(x, maps.images), project(y, maps.clouds)];
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
    assert.ok(sum / 200 > 0.9, `mean cosine ${sum / 200}`);
    assert.ok(Math.abs(Math.hypot(a[0], a[1]) - 1) < 1e-6);
    assert.is(fit(x, y, 100).images.to, 5);
  }
  assert.ok(cca(...views(4, 10, 12), 100).images.to <= 3);
});

test.run();

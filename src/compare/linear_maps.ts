/**
 * Linear maps of two views into one space, in closed form and in float64. x is [N, p], y is [N, q], row i of both is pair i; below,
 * both are centred by their column means. Reference: test/pure/linear_maps.test.ts.
 */
import { CholeskyDecomposition, EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { unitRows } from '../romo/rows.ts';

/** A matrix, row by row. */
export interface Rows {
  readonly values: ArrayLike<number>;
  readonly columns: number;
}

/** A map of one view: centre, then multiply. */
export interface LinearMap {
  readonly mean: Float64Array; // [p]
  readonly weights: Matrix; // [p, to]
  /** columns of the result */
  readonly to: number;
}

/** The maps of both views, and what they were found by, largest first: correlations (CCA) or covariances (PLS). */
export interface LinearMaps {
  readonly images: LinearMap;
  readonly clouds: LinearMap;
  readonly strengths: readonly number[];
}

/** Ridge of CCA, in mean variances: with few pairs and many pixels the covariances are singular or nearly so. */
const RIDGE = 1;
/** Directions weaker than this share of the strongest are rounding. */
const WEAKEST = 1e-6;

/**
 * Canonical correlation analysis: a, b with the largest correlation of x a and y b, each next pair uncorrelated with those before.
 * With Sxx = x^T x / N + r I, likewise Syy, and Sxy = x^T y / N: the eigenvectors u of Syy^-1/2 Syx Sxx^-1 Sxy Syy^-1/2, with eigenvalues rho^2,
 * give b = Syy^-1/2 u and a = Sxx^-1 Sxy b / rho.
 * @param dimension pairs of directions, fewer if there are not so many
 */
export function cca(x: Rows, y: Rows, dimension: number): LinearMaps {
  const views = [viewOf(x), viewOf(y)] as const;
  const [xx, yy] = views.map(({ z, columns }) => {
    const own = covariance(z, z);
    return own.add(Matrix.eye(own.rows).mul((RIDGE * own.trace()) / columns));
  });
  const xy = covariance(views[0].z, views[1].z);
  const solved = new CholeskyDecomposition(xx).solve(xy); // Sxx^-1 Sxy [p, q]
  const { vectors, values } = eigen(yy);
  const whiten = vectors.mulRowVector(values.map((value) => 1 / Math.sqrt(value))); // [q, q]
  const found = eigen(whiten.transpose().mmul(xy.transpose().mmul(solved)).mmul(whiten));
  const { strengths, kept } = strongest(found, dimension);
  const b = whiten.mmul(kept);
  const a = solved.mmul(b).mulRowVector(strengths.map((strength) => 1 / strength));
  return mapsOf(views, [a, b], strengths);
}

/**
 * Partial least squares by the singular vectors of Sxy (PLS-SVD): unit a, b with the largest covariance of x a and y b, each
 * next pair orthogonal to those before. With v the eigenvectors of Syx Sxy, of eigenvalues s^2: b = v, a = Sxy v / s.
 */
export function pls(x: Rows, y: Rows, dimension: number): LinearMaps {
  const views = [viewOf(x), viewOf(y)] as const;
  const xy = covariance(views[0].z, views[1].z);
  const { strengths, kept } = strongest(eigen(xy.transpose().mmul(xy)), dimension);
  const a = xy.mmul(kept).mulRowVector(strengths.map((strength) => 1 / strength));
  return mapsOf(views, [a, kept], strengths);
}

/** Unit rows [R, to] of a view. */
export function project({ values, columns }: Rows, { mean, weights, to }: LinearMap): Float32Array {
  const mapped = centred(values, columns, mean).mmul(weights);
  return unitRows(Float32Array.from(mapped.to1DArray()), to);
}

/** A view, centred, in as few columns as it has rows: z = x basis spans the same space, with the same inner products. */
interface View {
  readonly mean: Float64Array;
  readonly z: Matrix; // [N, r]
  readonly basis: Matrix | null; // [p, r], orthonormal columns; null for the identity
  /** columns of the data */
  readonly columns: number;
}

/** With fewer pairs than columns, an exact and much smaller problem. */
function viewOf({ values, columns }: Rows): View {
  const mean = meanOf({ values, columns });
  const x = centred(values, columns, mean);
  if (x.rows >= columns) return { mean, z: x, basis: null, columns };
  const { strengths, kept } = strongest(eigen(x.mmul(x.transpose())), x.rows);
  const basis = x
    .transpose()
    .mmul(kept)
    .mulRowVector(strengths.map((strength) => 1 / strength));
  return { mean, z: kept.mulRowVector(strengths), basis, columns };
}

const covariance = (a: Matrix, b: Matrix): Matrix => a.transpose().mmul(b).div(a.rows);

function meanOf({ values, columns }: Rows): Float64Array {
  const mean = new Float64Array(columns);
  const count = values.length / columns;
  for (let i = 0; i < values.length; i++) mean[i % columns] += values[i] / count;
  return mean;
}

const centred = (values: ArrayLike<number>, columns: number, mean: Float64Array): Matrix =>
  Matrix.from1DArray(
    values.length / columns,
    columns,
    Array.from(values, (value, i) => value - mean[i % columns]),
  );

/** Eigenvectors, as columns, of a symmetric matrix, those of the largest eigenvalues first. */
function eigen(symmetric: Matrix): { vectors: Matrix; values: number[] } {
  const { eigenvectorMatrix, realEigenvalues } = new EigenvalueDecomposition(symmetric, { assumeSymmetric: true });
  const order = realEigenvalues.map((_, i) => i).sort((i, j) => realEigenvalues[j] - realEigenvalues[i]);
  return { vectors: eigenvectorMatrix.subMatrixColumn(order), values: order.map((i) => realEigenvalues[i]) };
}

/** The first directions, and the roots of their eigenvalues. Signs are fixed: the largest number of each is positive. */
function strongest({ vectors, values }: ReturnType<typeof eigen>, dimension: number) {
  const roots = values.map((value) => Math.sqrt(Math.max(0, value)));
  const strengths = roots.slice(0, dimension).filter((root, i) => i === 0 || root > WEAKEST * roots[0]);
  const kept = vectors.subMatrixColumn(strengths.map((_, i) => i));
  strengths.forEach((_, column) => {
    const own = kept.getColumn(column);
    const largest = own.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
    if (largest < 0) kept.mulColumn(column, -1);
  });
  return { strengths, kept };
}

function mapsOf(views: readonly View[], weights: readonly Matrix[], strengths: readonly number[]): LinearMaps {
  const [images, clouds] = views.map(({ mean, basis }, i): LinearMap => {
    return { mean, weights: basis ? basis.mmul(weights[i]) : weights[i], to: strengths.length };
  });
  return { images, clouds, strengths };
}

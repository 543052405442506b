/** Row-major matrices of embeddings and scores on the CPU. */
import { RomoError } from '../tensor/error.ts';

/** Scales each row of [R, d] to length 1, in place; a zero row stays zero. @returns the same array */
export function unitRows<Rows extends Float32Array | Float64Array>(rows: Rows, dimension: number): Rows {
  for (let start = 0; start < rows.length; start += dimension) {
    let squares = 0;
    for (let c = start; c < start + dimension; c++) squares += rows[c] * rows[c];
    const inverse = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let c = start; c < start + dimension; c++) rows[c] *= inverse;
  }
  return rows;
}

/**
 * normalize(a + b), row by row: one vector for both views of an object. a, b [R, d] unit rows.
 * @throws RomoError `shape` if the lengths differ
 */
export function pairMeans(a: Float32Array, b: Float32Array, dimension: number): Float32Array {
  if (a.length !== b.length) {
    throw new RomoError('shape', `pairMeans: ${a.length} and ${b.length} values`, 'Pass as many images as clouds.');
  }
  return unitRows(
    a.map((value, i) => value + b[i]),
    dimension,
  );
}

/** Unit mean of the rows of each cluster, [C, d]; zeros where a cluster has none. */
export function centresOf(rows: Float32Array, dimension: number, labels: Int32Array, clusters: number): Float32Array {
  const sums = new Float64Array(clusters * dimension);
  labels.forEach((label, row) => {
    for (let c = 0; c < dimension; c++) sums[label * dimension + c] += rows[row * dimension + c];
  });
  return Float32Array.from(unitRows(sums, dimension));
}

/** [R, C] -> [C, R] */
export function transposed(rows: Float32Array, columns: number): Float32Array {
  const count = rows.length / columns;
  return Float32Array.from(rows, (_, i) => rows[(i % count) * columns + Math.floor(i / count)]);
}

/** Cosine of each row with each centre: rows [R, d], centres [C, d] -> [R, C] in f64. */
export function scoresOf(rows: Float32Array, centres: Float32Array, dimension: number): Float64Array {
  const clusters = centres.length / dimension;
  const count = rows.length / dimension;
  const scores = new Float64Array(count * clusters);
  for (let row = 0; row < count; row++) {
    for (let cluster = 0; cluster < clusters; cluster++) {
      let dot = 0;
      let squares = 0;
      for (let c = 0; c < dimension; c++) {
        const centre = centres[cluster * dimension + c];
        dot += rows[row * dimension + c] * centre;
        squares += centre * centre;
      }
      scores[row * clusters + cluster] = dot / Math.max(Math.sqrt(squares), 1e-12);
    }
  }
  return scores;
}

/** Index of the largest value in each row of [R, C]; ties go to the lower index. */
export function argmaxRows(values: ArrayLike<number>, columns: number): Int32Array {
  const out = new Int32Array(values.length / columns);
  for (let row = 0; row < out.length; row++) {
    let best = row * columns;
    for (let at = best + 1; at < (row + 1) * columns; at++) if (values[at] > values[best]) best = at;
    out[row] = best - row * columns;
  }
  return out;
}

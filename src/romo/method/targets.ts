/** Where the warm-up's targets come from, once per epoch, and the rows that they are computed on. No label is involved. */
import { RomoError } from '../../tensor/error.ts';
import { exp } from '../../tensor/exact.ts';

/** normalize(a + b), row by row: one vector for both views of an object. a, b [R, d] unit rows. */
export function pairMeans(a: Float32Array, b: Float32Array, dimension: number): Float32Array {
  if (a.length !== b.length) {
    throw new RomoError('shape', `pairMeans: ${a.length} and ${b.length} numbers`, 'Pass as many images as clouds.');
  }
  const out = new Float32Array(a.length);
  for (let start = 0; start < a.length; start += dimension) {
    let squares = 0;
    for (let c = start; c < start + dimension; c++) {
      out[c] = a[c] + b[c];
      squares += out[c] * out[c];
    }
    const inverse = 1 / Math.max(Math.sqrt(squares), 1e-12);
    for (let c = start; c < start + dimension; c++) out[c] *= inverse;
  }
  return out;
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

/**
 * Balanced assignment (Sinkhorn-Knopp, as in SwAV, Caron et al. 2020): the plan nearest to exp(score / temperature) in which
 * every row has weight 1 and every cluster weight R / C; each row then takes its largest entry.
 * @param scores [R, C]
 */
export function balancedLabels(
  scores: Float64Array,
  clusters: number,
  temperature: number,
  iterations = 20,
): Int32Array {
  const rows = scores.length / clusters;
  const top = scores.reduce((best, score) => Math.max(best, score), Number.NEGATIVE_INFINITY);
  const plan = scores.map((score) => exp((score - top) / temperature) + 1e-300);
  for (let iteration = 0; iteration < iterations; iteration++) {
    for (let cluster = 0; cluster < clusters; cluster++) {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += plan[row * clusters + cluster];
      for (let row = 0; row < rows; row++) plan[row * clusters + cluster] *= rows / clusters / sum;
    }
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let cluster = 0; cluster < clusters; cluster++) sum += plan[row * clusters + cluster];
      for (let cluster = 0; cluster < clusters; cluster++) plan[row * clusters + cluster] /= sum;
    }
  }
  return argmaxRows(plan, clusters);
}

/** The largest of each row of [R, C]; the first of equals. */
export function argmaxRows(values: ArrayLike<number>, columns: number): Int32Array {
  const out = new Int32Array(values.length / columns);
  for (let row = 0; row < out.length; row++) {
    let best = row * columns;
    for (let at = best + 1; at < (row + 1) * columns; at++) if (values[at] > values[best]) best = at;
    out[row] = best - row * columns;
  }
  return out;
}

/** How many rows each cluster has. */
export function clusterSizes(labels: Int32Array, clusters: number): number[] {
  const sizes = new Array<number>(clusters).fill(0);
  for (const label of labels) sizes[label]++;
  return sizes;
}

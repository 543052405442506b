/** Balanced targets for the warm-up, computed without labels. */
import { exp } from '../../tensor/exact.ts';
import { argmaxRows } from '../rows.ts';

/**
 * Balanced assignment (Sinkhorn-Knopp, as in SwAV, Caron et al. 2020): the plan closest to exp(score / temperature) in
 * which every row has weight 1 and every cluster weight R / C; each row then takes its largest entry.
 * @param scores [R, C]
 * @returns the cluster of each row
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

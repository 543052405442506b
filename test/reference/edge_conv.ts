/** EdgeConv in float64, in the textbook form: every edge is expanded. The engine's factorised form must equal it. */
import { type BatchNormOptions, batchNorm } from './batch_norm.ts';
import { matmul } from './matmul.ts';
import { globalMaxPool } from './pooling.ts';

/**
 * Edges [x_j - x_i ; x_i] -> linear -> batch norm over all edges -> leaky ReLU -> maximum over the neighbours.
 * @param x [B, N, C]
 * @param neighbours [B, N, k], point indices within the batch item
 * @param weight [2C, O]
 * @param gamma [O]
 * @param beta [O]
 * @returns y [B, N, O] and the running statistics
 */
export function edgeConv(
  x: ArrayLike<number>,
  [batch, points, channels]: readonly number[],
  neighbours: ArrayLike<number>,
  weight: ArrayLike<number>,
  gamma: ArrayLike<number>,
  beta: ArrayLike<number>,
  options: BatchNormOptions,
): { y: Float64Array; runningMean: Float64Array; runningVar: Float64Array } {
  const k = neighbours.length / (batch * points);
  const edges = new Float64Array(batch * points * k * 2 * channels); // [B, N, k, 2C]
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < points; i++) {
      for (let slot = 0; slot < k; slot++) {
        const edge = (n * points + i) * k + slot;
        const j = neighbours[edge];
        for (let c = 0; c < channels; c++) {
          const own = x[(n * points + i) * channels + c];
          edges[edge * 2 * channels + c] = x[(n * points + j) * channels + c] - own;
          edges[edge * 2 * channels + channels + c] = own;
        }
      }
    }
  }
  const linear = matmul(edges, weight, { rows: batch * points * k, inner: 2 * channels, columns: gamma.length });
  const { y, runningMean, runningVar } = batchNorm(linear, gamma, beta, options);
  return { y: globalMaxPool(y, batch * points, k, gamma.length), runningMean, runningVar };
}

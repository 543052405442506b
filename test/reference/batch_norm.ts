/** Batch norm in float64: PyTorch's definition, then an optional residual and a leaky ReLU. */

export interface BatchNormOptions {
  readonly training: boolean;
  readonly runningMean: ArrayLike<number>;
  readonly runningVar: ArrayLike<number>;
  readonly momentum?: number;
  readonly eps?: number;
  /** slope of the activation below zero: 1 none, 0 ReLU */
  readonly slope?: number;
  /** [rows, channels], added before the activation */
  readonly residual?: ArrayLike<number>;
}

export interface BatchNormResult {
  /** [rows, channels] */
  readonly y: Float64Array;
  readonly runningMean: Float64Array;
  readonly runningVar: Float64Array;
}

/**
 * @param x [rows, channels]; rows are all axes but the last
 * @param gamma [channels]
 * @param beta [channels]
 */
export function batchNorm(
  x: ArrayLike<number>,
  gamma: ArrayLike<number>,
  beta: ArrayLike<number>,
  options: BatchNormOptions,
): BatchNormResult {
  const { training, momentum = 0.1, eps = 1e-5, slope = 1, residual } = options;
  const channels = gamma.length;
  const rows = x.length / channels;
  const y = new Float64Array(x.length);
  const runningMean = Float64Array.from(options.runningMean);
  const runningVar = Float64Array.from(options.runningVar);
  for (let c = 0; c < channels; c++) {
    let mean = runningMean[c];
    let variance = runningVar[c];
    if (training) {
      mean = 0;
      for (let row = 0; row < rows; row++) mean += x[row * channels + c] / rows;
      variance = 0;
      for (let row = 0; row < rows; row++) variance += (x[row * channels + c] - mean) ** 2 / rows;
      runningMean[c] += momentum * (mean - runningMean[c]);
      // Running variance takes the unbiased estimate, normalisation the biased one.
      runningVar[c] += momentum * ((variance * rows) / Math.max(rows - 1, 1) - runningVar[c]);
    }
    for (let row = 0; row < rows; row++) {
      const i = row * channels + c;
      const value = (gamma[c] * (x[i] - mean)) / Math.sqrt(variance + eps) + beta[c] + (residual ? residual[i] : 0);
      y[i] = value > 0 ? value : slope * value;
    }
  }
  return { y, runningMean, runningVar };
}

/** Robust complementary log loss in float64: ours, and that of the authors' released code. */
import { logSoftmax } from './cross_entropy.ts';

/** l(p) = (-ln p)^alpha (1 - p) */
export function rcllOfProbability(p: number, alpha: number): number {
  return (-Math.log(p)) ** alpha * (1 - p);
}

export interface RcllOptions {
  readonly alpha?: number;
  /** probabilities below it cost a constant; default 1 / classes */
  readonly threshold?: number;
  /** of the rows; 1 by default */
  readonly weights?: ArrayLike<number>;
}

const BELOW_ONE = 1 - 1e-7;

/**
 * Mean over rows of l(max(p, threshold)), p the probability of the row's label; logits [rows, classes], labels [rows].
 */
export function rcll(logits: ArrayLike<number>, labels: ArrayLike<number>, options: RcllOptions = {}): number {
  const rows = labels.length;
  const classes = logits.length / rows;
  const { alpha = 0.25, threshold = 1 / classes, weights } = options;
  const logP = logSoftmax(logits, classes);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const p = Math.exp(logP[row * classes + labels[row]]);
    loss += ((weights?.[row] ?? 1) * rcllOfProbability(Math.min(Math.max(p, threshold), BELOW_ONE), alpha)) / rows;
  }
  return loss;
}

/**
 * The loss that the released code computes instead: it compares the threshold 1 / K, K the batch size, with every
 * probability of a row, and counts the row once per class above it. The classes below it add the constant l(1 / K);
 * without any the loss is NaN. loss = l(1/K) + sum_i n_i l(p_i) / sum_i n_i, n_i = number of classes c with p_ic > 1/K.
 * @returns the loss and its gradient [rows, classes]
 */
export function rcllReleased(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  { alpha, K }: { alpha: number; K: number },
): { loss: number; gradient: Float64Array } {
  const rows = labels.length;
  const classes = logits.length / rows;
  const probabilities = logSoftmax(logits, classes).map(Math.exp);
  const counts = new Float64Array(rows); // n_i
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < classes; c++) if (probabilities[row * classes + c] > 1 / K) counts[row] += 1;
  }
  const counted = counts.reduce((a, b) => a + b);
  const constant = counted < rows * classes ? rcllOfProbability(1 / K, alpha) : Number.NaN;
  let loss = constant;
  const gradient = new Float64Array(rows * classes);
  for (let row = 0; row < rows; row++) {
    const p = probabilities[row * classes + labels[row]];
    const share = counts[row] / counted;
    loss += share * rcllOfProbability(p, alpha);
    // -p dl/dp, with L = -ln p: w = p L^alpha + alpha (1 - p) L^(alpha - 1)
    const L = -Math.log(p);
    const w = p * L ** alpha + alpha * (1 - p) * L ** (alpha - 1);
    for (let c = 0; c < classes; c++) {
      const target = c === labels[row] ? 1 : 0;
      gradient[row * classes + c] = share * w * (probabilities[row * classes + c] - target);
    }
  }
  return { loss, gradient };
}

/** The losses of the compared methods in float64, by their formulas. Rows of logits [rows, classes]; labels [rows]. */
import { logSoftmax } from './cross_entropy.ts';

type Numbers = ArrayLike<number>;

const TINY = 1e-7;

const probabilities = (logits: Numbers, classes: number): Float64Array => logSoftmax(logits, classes).map(Math.exp);

/** The mean over rows of a function of the label's probability p and of 1 - p, summed from the other classes. */
function meanOverLabels(logits: Numbers, labels: Numbers, of: (p: number, q: number) => number): number {
  const classes = logits.length / labels.length;
  const p = probabilities(logits, classes);
  let total = 0;
  for (let row = 0; row < labels.length; row++) {
    let q = 0;
    for (let c = 0; c < classes; c++) if (c !== labels[row]) q += p[row * classes + c];
    total += of(p[row * classes + labels[row]], q);
  }
  return total / labels.length;
}

/** sum over classes of |p - onehot| = 2 (1 - p_label) */
export const meanAbsoluteError = (logits: Numbers, labels: Numbers): number =>
  meanOverLabels(logits, labels, (_, q) => 2 * q);

/** (1 - p^q) / q */
export const generalisedCrossEntropy = (logits: Numbers, labels: Numbers, q: number): number =>
  meanOverLabels(logits, labels, (p) => (1 - p ** q) / q);

/** alpha (-ln p) - beta A (1 - p) */
export const symmetricCrossEntropy = (
  logits: Numbers,
  labels: Numbers,
  { alpha, beta, A }: { alpha: number; beta: number; A: number },
): number => meanOverLabels(logits, labels, (p, q) => -alpha * Math.log(p) - beta * A * q);

/** ln(1 - p) */
export const robustClustering = (logits: Numbers, labels: Numbers): number =>
  meanOverLabels(logits, labels, (_, q) => Math.log(q + TINY));

/** a^T b / scale: a [rows, n], b [rows, m] -> [n][m] */
function product(a: Numbers, b: Numbers, rows: number, scale: number): number[][] {
  const [n, m] = [a.length / rows, b.length / rows];
  return Array.from({ length: n }, (_, i) =>
    Array.from({ length: m }, (_, j) => {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += a[row * n + i] * b[row * m + j];
      return sum / scale;
    }),
  );
}

const total = (matrix: readonly number[][], of: (value: number, i: number, j: number) => number): number =>
  matrix.reduce((sum, row, i) => sum + row.reduce((part, value, j) => part + of(value, i, j), 0), 0);

/** (sum (1 - C_ii)^2 + redundancy sum over i != j of C_ij^2) / d, C = a^T b / rows */
export function barlowTwins(a: Numbers, b: Numbers, rows: number, redundancy: number): number {
  const correlation = product(a, b, rows, rows);
  return total(correlation, (c, i, j) => (i === j ? (1 - c) ** 2 : redundancy * c * c)) / correlation.length;
}

/** sum over i != j of |(decay S + z^T z / (rows - 1)) / (decay c + 1)| / d */
export function softDecorrelation(z: Numbers, rows: number, before: Numbers, weight: number, decay: number): number {
  const covariance = product(z, z, rows, rows - 1);
  const d = covariance.length;
  const average = (own: number, i: number, j: number) => (decay * before[i * d + j] + own) / (decay * weight + 1);
  return total(covariance, (own, i, j) => (i === j ? 0 : Math.abs(average(own, i, j)))) / d;
}

/** -s_ii + tau ln sum_j exp(s'_ij / tau) + margin, s' = s - shift where s_ij < s_ii - margin; rows are not normalised */
export function ranking(
  queries: Numbers,
  gallery: Numbers,
  rows: number,
  { margin, shift, tau }: { margin: number; shift: number; tau: number },
): number {
  const d = queries.length / rows;
  const cosine = (i: number, j: number) => {
    let sum = 0;
    for (let c = 0; c < d; c++) sum += queries[i * d + c] * gallery[j * d + c];
    return sum;
  };
  let loss = 0;
  for (let i = 0; i < rows; i++) {
    const own = cosine(i, i);
    let sum = 0;
    for (let j = 0; j < rows; j++) {
      const s = cosine(i, j);
      sum += Math.exp((s >= own - margin ? s : s - shift) / tau);
    }
    loss += (-own + tau * Math.log(sum) + margin) / rows;
  }
  return loss;
}

/** -sum P ln(P / (P_i P_j)), P = (p^T q + q^T p) / (2 rows) */
export function mutualInformation(a: Numbers, b: Numbers, classes: number): number {
  const rows = a.length / classes;
  const one = product(probabilities(a, classes), probabilities(b, classes), rows, 2 * rows);
  const joint = one.map((row, i) => row.map((value, j) => value + one[j][i]));
  const marginal = joint.map((row) => row.reduce((sum, value) => sum + value, 0));
  const ln = (value: number) => Math.log(value + TINY);
  return total(joint, (value, i, j) => value * (ln(marginal[i]) + ln(marginal[j]) - ln(value)));
}

/** -ln sum_c p_c q_c */
export function consistency(a: Numbers, b: Numbers, classes: number): number {
  const [p, q] = [probabilities(a, classes), probabilities(b, classes)];
  const rows = a.length / classes;
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    let agreement = 0;
    for (let c = 0; c < classes; c++) agreement += p[row * classes + c] * q[row * classes + c];
    loss -= Math.log(agreement + TINY) / rows;
  }
  return loss;
}

/** sum_c m_c ln m_c, m the mean probabilities */
export function negativeEntropy(logits: Numbers, classes: number): number {
  const p = probabilities(logits, classes);
  const rows = logits.length / classes;
  let loss = 0;
  for (let c = 0; c < classes; c++) {
    let mean = 0;
    for (let row = 0; row < rows; row++) mean += p[row * classes + c] / rows;
    loss += mean * Math.log(mean + TINY);
  }
  return loss;
}

/** Sinkhorn-Knopp: columns to rows / classes, then rows to 1, again and again. */
export function balancedCodes(scores: Numbers, classes: number, epsilon: number, iterations: number): Float64Array {
  const rows = scores.length / classes;
  const plan = Float64Array.from(scores, (score) => Math.exp((score - 1) / epsilon));
  for (let iteration = 0; iteration < iterations; iteration++) {
    for (let c = 0; c < classes; c++) {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += plan[row * classes + c];
      for (let row = 0; row < rows; row++) plan[row * classes + c] *= rows / classes / sum;
    }
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let c = 0; c < classes; c++) sum += plan[row * classes + c];
      for (let c = 0; c < classes; c++) plan[row * classes + c] /= sum;
    }
  }
  return plan;
}

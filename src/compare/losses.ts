/**
 * The losses of the methods that are compared, made of the engine's ops: means over rows, of shape [1]. Float64
 * references: test/reference/compared_losses.ts. Constants such as `identity` are made once, outside the recorded step.
 */
import { concat } from '../autograd/concat.ts';
import { columnSums, fill } from '../autograd/elementary.ts';
import { gather } from '../autograd/gather.ts';
import { softCrossEntropy, softmaxCrossEntropy } from '../autograd/losses.ts';
import { matmul } from '../autograd/matmul.ts';
import { abs, add, addScalar, div, exp, log, mul, neg, relu, scale, square, sub } from '../autograd/pointwise.ts';
import { globalMaxPool, mean, sum } from '../autograd/reduce.ts';
import type { Gpu } from '../tensor/device.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Added to what a logarithm is taken of, so that 0 costs 16 and not infinity. */
export const TINY = 1e-7;

/** The same numbers as a constant: no gradient flows back through it. */
const constant = (x: Tensor): Tensor => x.view(x.shape);

/** [n, n] with `diagonal` on the diagonal and `others` beside it; default the identity. */
export function identity(gpu: Gpu, n: number, diagonal = 1, others = 0): Tensor {
  return gpu.tensor(
    Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? diagonal : others)),
    [n, n],
  );
}

/** The sum of each row in every column: x [R, C] -> [R, C]. */
const rowSums = (x: Tensor): Tensor => matmul(x, fill(x.gpu, [x.channels, x.channels], 1));

/** ln softmax by row, with its gradient: logits [R, C] -> [R, C]. */
export function logSoftmax(logits: Tensor): Tensor {
  const { gpu, rows, channels } = logits;
  const top = globalMaxPool(constant(logits).view([rows, channels, 1])); // [R, 1]
  const shifted = sub(logits, matmul(top, fill(gpu, [1, channels], 1)));
  return sub(shifted, log(rowSums(exp(shifted))));
}

/** Softmax by row, with its gradient: logits [R, C] -> [R, C]. */
const softmaxRows = (logits: Tensor): Tensor => exp(logSoftmax(logits));

/** The part of x [R, C] that belongs to each row's label: [R, 1]. `eye` is the identity [C, C]. */
function atLabel(x: Tensor, labels: Tensor, eye: Tensor): Tensor {
  return matmul(mul(x, gather(eye, labels)), fill(x.gpu, [x.channels, 1], 1));
}

/** 1 - p of each row's label, summed from the other classes: [R, 1]. */
function doubt(logits: Tensor, labels: Tensor, eye: Tensor): Tensor {
  const p = softmaxRows(logits);
  const others = addScalar(neg(gather(eye, labels)), 1);
  return matmul(mul(p, others), fill(p.gpu, [p.channels, 1], 1));
}

/**
 * Mean absolute error of softmax and label: the mean of 2 (1 - p), p the label's probability.
 * Source: Ghosh, Kumar, Sastry: "Robust loss functions under label noise for deep neural networks", AAAI 2017.
 */
export function meanAbsoluteError(logits: Tensor, labels: Tensor, eye: Tensor): Tensor {
  return scale(mean(doubt(logits, labels, eye)), 2);
}

/**
 * Generalised cross entropy: the mean of (1 - p^q) / q; q towards 0 is cross entropy, q = 1 is half of MAE.
 * Source: Zhang, Sabuncu: "Generalized cross entropy loss for training deep neural networks with noisy labels", NeurIPS 2018.
 */
export function generalisedCrossEntropy(logits: Tensor, labels: Tensor, eye: Tensor, q: number): Tensor {
  const power = exp(scale(atLabel(logSoftmax(logits), labels, eye), q)); // p^q
  return scale(addScalar(neg(mean(power)), 1), 1 / q);
}

/**
 * Symmetric cross entropy: alpha CE + beta RCE. The reverse cross entropy -sum p ln(label) with ln 0 = A is -A (1 - p).
 * Source: Wang et al.: "Symmetric cross entropy for robust learning with noisy labels", ICCV 2019.
 */
export function symmetricCrossEntropy(
  logits: Tensor,
  labels: Tensor,
  eye: Tensor,
  { alpha, beta, A }: { alpha: number; beta: number; A: number },
): Tensor {
  const reverse = scale(mean(doubt(logits, labels, eye)), -A * beta);
  return add(scale(softmaxCrossEntropy(logits, labels), alpha), reverse);
}

/**
 * MRL's robust clustering loss: the mean of ln(1 - p + 1e-7). The released code has no 1e-7.
 * Source: Hu et al.: "Learning cross-modal retrieval with noisy labels", CVPR 2021.
 */
export function robustClustering(logits: Tensor, labels: Tensor, eye: Tensor): Tensor {
  return mean(log(addScalar(doubt(logits, labels, eye), TINY)));
}

/**
 * Barlow Twins' loss over d, with C = a^T b / B: (sum of (1 - C_ii)^2 + redundancy x sum over i != j of C_ij^2) / d.
 * Source: Zbontar et al.: "Barlow Twins: self-supervised learning via redundancy reduction", ICML 2021.
 * @param a [B, d], each column of mean 0 and variance 1; b likewise
 * @param eye the identity [d, d]
 * @param weights [d, d]: 1 on the diagonal, `redundancy` beside it
 */
export function barlowTwins(a: Tensor, b: Tensor, eye: Tensor, weights: Tensor): Tensor {
  const correlation = scale(matmul(a, b, { transposeA: true }), 1 / a.rows);
  return scale(sum(mul(square(sub(correlation, eye)), weights)), 1 / a.channels);
}

/** A running covariance: what soft decorrelation remembers of earlier batches. */
export interface RunningCovariance {
  /** [d, d] */
  readonly sum: Tensor;
  /** [1]: how many batches it stands for */
  readonly weight: Tensor;
}

/** z^T z / (B - 1) of a batch z [B, d]. */
const covariance = (z: Tensor): Tensor => scale(matmul(z, z, { transposeA: true }), 1 / (z.rows - 1));

/**
 * Soft decorrelation over d: the sum of |(decay S + z^T z / (B - 1)) / (decay c + 1)| off the diagonal, S and c the
 * running sums of the batches before. Source: Chang, Xiang, Hospedales: "Scalable and effective deep CCA via soft
 * decorrelation", CVPR 2018.
 * @param z [B, d], each column of mean 0 and variance 1
 * @param others [d, d]: 0 on the diagonal, 1 beside it
 */
export function softDecorrelation(
  z: Tensor,
  { sum: before, weight }: RunningCovariance,
  decay: number,
  others: Tensor,
) {
  const total = add(covariance(z), scale(before, decay));
  const average = div(total, addScalar(scale(weight, decay), 1));
  return scale(sum(mul(abs(average), others)), 1 / z.channels);
}

/** S <- decay S + z^T z / (B - 1), c <- decay c + 1. */
export function remember(z: Tensor, { sum: total, weight }: RunningCovariance, decay: number): void {
  addInto(total, scale(total, decay), covariance(z));
  addInto(weight, scale(weight, decay), fill(z.gpu, [1], 1));
}

/** Overwrites `into` with a + b. */
function addInto(into: Tensor, a: Tensor, b: Tensor): void {
  const row = [1, into.size];
  columnSums(concat([a.view(row), b.view(row)], 0), 1, into.size, 1, into);
}

/** 1 where x is above 0, else 0; a constant. */
function isAbove(x: Tensor): Tensor {
  const above = relu(constant(x));
  return div(above, addScalar(above, 1e-12));
}

/** What shapes UCCH's ranking loss. */
export interface Ranking {
  /** a cosine that is lower than the partner's by more than this counts less */
  readonly margin: number;
  /** by how much such a cosine is lowered */
  readonly shift: number;
  readonly tau: number;
}

/**
 * UCCH's ranking loss of queries against a gallery, unit rows [B, d] whose row i is the partner of row i: the mean of
 * -s_ii + tau ln sum over j of exp(s'_ij / tau) + margin, s' = s where s_ij >= s_ii - margin, else s - shift.
 * Source: Hu et al.: "Unsupervised contrastive cross-modal hashing", TPAMI 2023, with unit vectors for codes of bits.
 * @param eye the identity [B, B]
 * @param places i32 [B]: 0, 1, ... B - 1
 */
export function ranking(
  queries: Tensor,
  gallery: Tensor,
  eye: Tensor,
  places: Tensor,
  { margin, shift, tau }: Ranking,
): Tensor {
  const cosines = matmul(queries, gallery, { transposeB: true });
  const partner = rowSums(mul(constant(cosines), eye)); // s_ii in all of row i
  const isNear = isAbove(addScalar(sub(constant(cosines), partner), margin));
  const shifted = add(cosines, scale(addScalar(isNear, -1), shift));
  return addScalar(scale(softmaxCrossEntropy(scale(shifted, 1 / tau), places), tau), margin);
}

/**
 * IIC: minus the mutual information of two assignments, sum of P (ln P_i + ln P_j - ln P) with P the symmetric part of
 * p^T q / B. Source: Ji, Henriques, Vedaldi: "Invariant information clustering for unsupervised image classification and
 * segmentation", ICCV 2019.
 * @param a logits [B, C]; b likewise, of the other view
 */
export function mutualInformation(a: Tensor, b: Tensor): Tensor {
  const [p, q] = [softmaxRows(a), softmaxRows(b)];
  const half = 0.5 / a.rows;
  const joint = add(scale(matmul(p, q, { transposeA: true }), half), scale(matmul(q, p, { transposeA: true }), half));
  const ones = fill(a.gpu, joint.shape, 1);
  const ln = (x: Tensor) => log(addScalar(x, TINY));
  const marginals = add(ln(matmul(joint, ones)), ln(matmul(ones, joint)));
  return sum(mul(joint, sub(marginals, ln(joint))));
}

/**
 * SCAN's consistency: the mean of -ln (p . q), p and q the softmax of an object and of its neighbour. Source: Van Gansbeke
 * et al.: "SCAN: learning to classify images without labels", ECCV 2020.
 * @param a logits [B, C]; b likewise, of the neighbours
 */
export function consistency(a: Tensor, b: Tensor): Tensor {
  const agreement = matmul(mul(softmaxRows(a), softmaxRows(b)), fill(a.gpu, [a.channels, 1], 1)); // [B, 1]
  return neg(mean(log(addScalar(agreement, TINY))));
}

/** SCAN's balance: minus the entropy of the mean softmax, sum of m ln m; logits [B, C]. */
export function negativeEntropy(logits: Tensor): Tensor {
  const share = matmul(fill(logits.gpu, [1, logits.rows], 1 / logits.rows), softmaxRows(logits)); // [1, C]
  return sum(mul(share, log(addScalar(share, TINY))));
}

/**
 * SwAV's codes: Sinkhorn-Knopp's balanced transport of a batch to C prototypes. Each row of the result sums to 1, each
 * column nearly to B / C. A constant. Source: Caron et al.: "Unsupervised learning of visual features by contrasting cluster
 * assignments", NeurIPS 2020.
 * @param scores cosines [B, C]
 */
export function balancedCodes(scores: Tensor, epsilon: number, iterations: number): Tensor {
  const { rows, channels } = scores;
  let plan = exp(scale(addScalar(constant(scores), -1), 1 / epsilon)); // cosines are at most 1
  for (let iteration = 0; iteration < iterations; iteration++) {
    plan = div(plan, columnSums(plan, 1, channels, channels / rows).view([channels]));
    plan = div(plan, rowSums(plan));
  }
  return plan;
}

/** SwAV's swapped prediction: the softmax of each view's scores against the code of the other. */
export function swappedPrediction(
  a: Tensor,
  b: Tensor,
  { tau, epsilon, iterations }: { tau: number; epsilon: number; iterations: number },
): Tensor {
  const codes = (scores: Tensor) => balancedCodes(scores, epsilon, iterations);
  return add(softCrossEntropy(scale(a, 1 / tau), codes(b)), softCrossEntropy(scale(b, 1 / tau), codes(a)));
}

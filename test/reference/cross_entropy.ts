/** Softmax and the cross entropies over it, in float64. */

/** logits [rows, classes] -> [rows, classes], ln of the softmax of each row */
export function logSoftmax(logits: ArrayLike<number>, classes: number): Float64Array {
  const y = Float64Array.from(logits);
  for (let start = 0; start < y.length; start += classes) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) largest = Math.max(largest, y[start + c]);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(y[start + c] - largest);
    for (let c = 0; c < classes; c++) y[start + c] -= largest + Math.log(sum);
  }
  return y;
}

/** Mean over rows of -w ln p[label]; logits [rows, classes], labels [rows], weights [rows], 1 by default. */
export function softmaxCrossEntropy(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  weights?: ArrayLike<number>,
): number {
  const rows = labels.length;
  const classes = logits.length / rows;
  const logP = logSoftmax(logits, classes);
  let loss = 0;
  for (let row = 0; row < rows; row++) loss -= ((weights?.[row] ?? 1) * logP[row * classes + labels[row]]) / rows;
  return loss;
}

/** Mean over rows of -sum_c target_c ln p_c; logits and targets [rows, classes]. */
export function softCrossEntropy(logits: ArrayLike<number>, targets: ArrayLike<number>, classes: number): number {
  const logP = logSoftmax(logits, classes);
  const rows = logits.length / classes;
  let loss = 0;
  for (let i = 0; i < logP.length; i++) loss -= (targets[i] * logP[i]) / rows;
  return loss;
}

/** The modality-invariance loss L_mlm (NT-Xent, twice) in float64. */
import { l2Normalize } from './l2_normalize.ts';

/**
 * -2 mean over rows a of ln(s_a,partner / sum over b != a of s_ab), s_ab = exp(cos(a, b) / tau).
 * @param features [2B, channels]: B images, then their B clouds
 * @param labels of the pairs: those of one label, 0 or more, are not in each other's sum
 */
export function contrastive(
  features: ArrayLike<number>,
  channels: number,
  tau: number,
  labels?: ArrayLike<number>,
): number {
  const rows = features.length / channels;
  const unit = l2Normalize(features, channels);
  const cosine = (a: number, b: number) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += unit[a * channels + c] * unit[b * channels + c];
    return sum;
  };
  let loss = 0;
  for (let a = 0; a < rows; a++) {
    let others = 0;
    for (let b = 0; b < rows; b++) {
      const [i, j] = [a % (rows / 2), b % (rows / 2)];
      const isMasked = labels !== undefined && i !== j && labels[i] >= 0 && labels[i] === labels[j];
      if (b !== a && !isMasked) others += Math.exp(cosine(a, b) / tau);
    }
    const partner = (a + rows / 2) % rows;
    loss -= (2 / rows) * (cosine(a, partner) / tau - Math.log(others));
  }
  return loss;
}

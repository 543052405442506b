/** The modality-invariance loss L_mlm (NT-Xent, twice) in float64. */
import { l2Normalize } from './l2_normalize.ts';

/**
 * -2 mean over rows a of ln(s_a,partner / sum over b != a of s_ab), s_ab = exp(cos(a, b) / tau).
 * @param features [2B, channels]: B images, then their B clouds
 */
export function contrastive(features: ArrayLike<number>, channels: number, tau: number): number {
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
    for (let b = 0; b < rows; b++) if (b !== a) others += Math.exp(cosine(a, b) / tau);
    const partner = (a + rows / 2) % rows;
    loss -= (2 / rows) * (cosine(a, partner) / tau - Math.log(others));
  }
  return loss;
}

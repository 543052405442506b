/** Rows scaled to unit length, in float64; a row shorter than `eps` is divided by `eps`, as in PyTorch's normalize. */

/** x [rows, channels] -> [rows, channels] */
export function l2Normalize(x: ArrayLike<number>, channels: number, eps = 1e-12): Float64Array {
  const y = Float64Array.from(x);
  for (let start = 0; start < y.length; start += channels) {
    let squares = 0;
    for (let c = 0; c < channels; c++) squares += y[start + c] ** 2;
    const length = Math.max(Math.sqrt(squares), eps);
    for (let c = 0; c < channels; c++) y[start + c] /= length;
  }
  return y;
}

/** Pooling in float64, channels last. */
import { convolvedLength } from './conv2d.ts';

export interface PoolOptions {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/**
 * Maximum over windows; padding never wins.
 * @param x [B, H, W, C]
 * @returns [B, outHeight, outWidth, C]
 */
export function maxPool2d(
  x: ArrayLike<number>,
  [batch, height, width, channels]: readonly number[],
  { kernel, stride, padding }: PoolOptions,
): Float64Array {
  const outHeight = convolvedLength(height, kernel, stride, padding);
  const outWidth = convolvedLength(width, kernel, stride, padding);
  const y = new Float64Array(batch * outHeight * outWidth * channels).fill(Number.NEGATIVE_INFINITY);
  for (let n = 0; n < batch; n++) {
    for (let outY = 0; outY < outHeight; outY++) {
      for (let outX = 0; outX < outWidth; outX++) {
        for (let ky = 0; ky < kernel; ky++) {
          const inY = outY * stride + ky - padding;
          if (inY < 0 || inY >= height) continue;
          for (let kx = 0; kx < kernel; kx++) {
            const inX = outX * stride + kx - padding;
            if (inX < 0 || inX >= width) continue;
            for (let c = 0; c < channels; c++) {
              const out = ((n * outHeight + outY) * outWidth + outX) * channels + c;
              y[out] = Math.max(y[out], x[((n * height + inY) * width + inX) * channels + c]);
            }
          }
        }
      }
    }
  }
  return y;
}

/** x [B, rows, C] -> [B, C] */
export function globalMaxPool(x: ArrayLike<number>, batch: number, rows: number, channels: number): Float64Array {
  const y = new Float64Array(batch * channels).fill(Number.NEGATIVE_INFINITY);
  for (let n = 0; n < batch; n++) {
    for (let row = 0; row < rows; row++) {
      for (let c = 0; c < channels; c++) {
        y[n * channels + c] = Math.max(y[n * channels + c], x[(n * rows + row) * channels + c]);
      }
    }
  }
  return y;
}

/** x [B, rows, C] -> [B, C] */
export function globalMeanPool(x: ArrayLike<number>, batch: number, rows: number, channels: number): Float64Array {
  const y = new Float64Array(batch * channels);
  for (let n = 0; n < batch; n++) {
    for (let row = 0; row < rows; row++) {
      for (let c = 0; c < channels; c++) y[n * channels + c] += x[(n * rows + row) * channels + c] / rows;
    }
  }
  return y;
}

/**
 * The gradient of the sum of all maxima of whole numbers; of equal values, the first takes it all.
 * @param pool one of the functions above
 */
export function winnings(x: ArrayLike<number>, pool: (x: Float64Array) => Float64Array): Float64Array {
  const count = x.length;
  const gradient = new Float64Array(count);
  // Ordered like the values and, among equal ones, from the last position to the first.
  const ranks = Float64Array.from({ length: count }, (_, i) => count * x[i] - i);
  for (const rank of pool(ranks)) gradient[count * Math.ceil(rank / count) - rank] += 1;
  return gradient;
}

/** 2D convolution (cross-correlation, as in PyTorch) in float64, channels last, by its definition. */

export interface Conv2dOptions {
  readonly stride?: readonly [number, number];
  readonly padding?: readonly [number, number];
}

/** Length of one output axis. */
export function convolvedLength(length: number, kernel: number, stride: number, padding: number): number {
  return Math.floor((length + 2 * padding - kernel) / stride) + 1;
}

/**
 * @param x [B, H, W, C]
 * @param weight [KH, KW, C, O]
 * @returns [B, outHeight, outWidth, O]
 */
export function conv2d(
  x: ArrayLike<number>,
  [batch, height, width, channels]: readonly number[],
  weight: ArrayLike<number>,
  [kernelY, kernelX, , outChannels]: readonly number[],
  { stride: [strideY, strideX] = [1, 1], padding: [paddingY, paddingX] = [0, 0] }: Conv2dOptions = {},
): Float64Array {
  const outHeight = convolvedLength(height, kernelY, strideY, paddingY);
  const outWidth = convolvedLength(width, kernelX, strideX, paddingX);
  const y = new Float64Array(batch * outHeight * outWidth * outChannels);
  for (let n = 0; n < batch; n++) {
    for (let outY = 0; outY < outHeight; outY++) {
      for (let outX = 0; outX < outWidth; outX++) {
        for (let o = 0; o < outChannels; o++) {
          let sum = 0;
          for (let ky = 0; ky < kernelY; ky++) {
            const inY = outY * strideY + ky - paddingY;
            if (inY < 0 || inY >= height) continue;
            for (let kx = 0; kx < kernelX; kx++) {
              const inX = outX * strideX + kx - paddingX;
              if (inX < 0 || inX >= width) continue;
              for (let c = 0; c < channels; c++) {
                const value = x[((n * height + inY) * width + inX) * channels + c];
                sum += value * weight[((ky * kernelX + kx) * channels + c) * outChannels + o];
              }
            }
          }
          y[((n * outHeight + outY) * outWidth + outX) * outChannels + o] = sum;
        }
      }
    }
  }
  return y;
}

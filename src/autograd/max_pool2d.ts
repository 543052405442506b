/** Max pooling. Kernels: shaders/max_pool2d.wgsl. Float64 reference: test/reference/pooling.ts. */
import source from '../shaders/max_pool2d.wgsl';
import { shapeError } from '../tensor/error.ts';
import { kernelPair, program } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { differentiable } from './tape.ts';

const pooling = program('max_pool2d', source);
const poolKernel = kernelPair(pooling, 'pool');
const gradientKernel = kernelPair(pooling, 'poolGradient');

export interface MaxPool2dOptions {
  kernel: number;
  stride: number;
  /** default 0; at most half the kernel; the border never wins */
  padding?: number;
}

const op = differentiable({
  name: 'maxPool2d',
  forward({ x }: { x: Tensor }, { kernel: size, stride, padding }: Required<MaxPool2dOptions>) {
    if (x.shape.length !== 4 || 2 * padding > size) {
      const rule = 'x is [batch, height, width, channels]; padding is at most half the kernel.';
      throw shapeError('maxPool2d', `x, kernel ${size} or padding ${padding} does not fit`, { x }, rule);
    }
    const [batch, height, width, channels] = x.shape;
    const outHeight = Math.floor((height + 2 * padding - size) / stride) + 1;
    const outWidth = Math.floor((width + 2 * padding - size) / stride) + 1;
    if (outHeight < 1 || outWidth < 1) {
      throw shapeError('maxPool2d', `kernel ${size} is larger than the image`, { x }, 'Use a larger image.');
    }
    const sizes = { batch, height, width, channels, outHeight, outWidth, size, stride, padding };
    const out = x.gpu.empty([batch, outHeight, outWidth, channels]);
    const winners = x.gpu.empty(out.shape, 'u32');
    launch(poolKernel, { x, out, winnersOut: winners }, sizes, { along: 'batch' });
    return { output: out, saved: { winners, sizes } };
  },
  backward(grad, { inputs: { x }, saved: { winners, sizes } }) {
    return {
      x: () => {
        const out = x.gpu.empty(x.shape);
        launch(gradientKernel, { winnersIn: winners, grad, out }, sizes, { along: 'batch' });
        return out;
      },
    };
  },
});

/**
 * The largest of each window: x [B, H, W, C] -> [B, H', W', C], H' = floor((H + 2 padding - kernel) / stride) + 1. The
 * gradient goes to the winner; of equal values the first in reading order wins.
 * Throws `shape` where the kernel does not fit.
 */
export function maxPool2d(x: Tensor, { kernel: size, stride, padding = 0 }: MaxPool2dOptions): Tensor {
  return op({ x }, { kernel: size, stride, padding });
}

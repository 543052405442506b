/**
 * Max pooling: x [B, H, W, C] -> [B, H', W', C], H' = floor((H + 2 padding - kernel) / stride) + 1. The gradient goes to the
 * winner; of equal values the first in reading order wins.
 */
import source from '../shaders/max_pool2d.wgsl';
import { RomoError } from '../tensor/error.ts';
import { kernelPair, program } from '../tensor/kernel.ts';
import { parts } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { dispatchPair } from './elementary.ts';
import { differentiable } from './tape.ts';

const pooling = program('max_pool2d', source);
const poolKernel = kernelPair(pooling, 'pool');
const gradientKernel = kernelPair(pooling, 'poolGradient');

export interface MaxPool2dOptions {
  kernel: number;
  stride: number;
  /** at most half the kernel; the border never wins */
  padding?: number;
}

const op = differentiable<
  { x: Tensor },
  Required<MaxPool2dOptions>,
  { winners: Tensor; sizes: Record<string, number> }
>({
  name: 'maxPool2d',
  forward({ x }, { kernel: size, stride, padding }) {
    if (x.shape.length !== 4 || 2 * padding > size) {
      throw new RomoError(
        'shape',
        `maxPool2d: x is [${x.shape}], kernel ${size}, padding ${padding}`,
        'x is [batch, height, width, channels]; padding is at most half the kernel.',
      );
    }
    const [batch, height, width, channels] = x.shape;
    const outHeight = Math.floor((height + 2 * padding - size) / stride) + 1;
    const outWidth = Math.floor((width + 2 * padding - size) / stride) + 1;
    if (outHeight < 1 || outWidth < 1) {
      throw new RomoError('shape', `maxPool2d: kernel ${size} is larger than x [${x.shape}]`, 'Use a larger image.');
    }
    const sizes = { batch, height, width, channels, outHeight, outWidth, size, stride, padding };
    const output = x.gpu.empty([batch, outHeight, outWidth, channels]);
    const winners = x.gpu.empty(output.shape, 'u32');
    const per = { x: x.size / batch, out: output.size / batch, indices: output.size / batch };
    for (const { tensors, count } of parts(x.gpu, { x, out: output, indices: winners }, { items: batch, per })) {
      dispatchPair(x.gpu, poolKernel, tensors, { ...sizes, batch: count }, tensors.out.size);
    }
    return { output, saved: { winners, sizes } };
  },
  backward(grad, { inputs: { x }, saved: { winners, sizes } }) {
    return {
      x: () => {
        const out = x.gpu.empty(x.shape);
        const [items] = x.shape;
        const per = { winners: grad.size / items, grad: grad.size / items, out: x.size / items };
        for (const { tensors, count } of parts(x.gpu, { winners, grad, out }, { items, per })) {
          dispatchPair(x.gpu, gradientKernel, tensors, { ...sizes, batch: count }, tensors.out.size);
        }
        return out;
      },
    };
  },
});

/** See the head of this file. */
export function maxPool2d(x: Tensor, { kernel: size, stride, padding = 0 }: MaxPool2dOptions): Tensor {
  return op({ x }, { kernel: size, stride, padding });
}

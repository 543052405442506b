/**
 * 2-d convolution, channels last. Kernels: the backend's `convolution`; the reference kernel is in shaders/conv2d.wgsl.
 * Float64 reference: test/reference/conv2d.ts.
 */
import type { Geometry } from '../backends/backend.ts';
import { shapeError } from '../tensor/error.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { differentiable } from './tape.ts';

export interface Conv2dOptions {
  /** one number, or [vertical, horizontal]; default 1 */
  stride?: number | readonly [number, number];
  /** zeros around the image: one number, or [vertical, horizontal]; default 0 */
  padding?: number | readonly [number, number];
}

function outputShape(x: Tensor, weight: Tensor, { stride, padding }: Geometry): number[] {
  const tensors = { x, weight };
  if (x.shape.length !== 4 || weight.shape.length !== 4) {
    const layout = 'x is [batch, height, width, channels], weight [height, width, in, out].';
    throw shapeError('conv2d', 'x and weight need four axes', tensors, layout);
  }
  const [batch, height, width, channels] = x.shape;
  const [kernelHeight, kernelWidth, inChannels, outChannels] = weight.shape;
  if (inChannels !== channels) {
    const problem = `weight has ${inChannels} input channels, x has ${channels}`;
    throw shapeError('conv2d', problem, tensors, 'They must be equal.');
  }
  const outHeight = Math.floor((height + 2 * padding[0] - kernelHeight) / stride[0]) + 1;
  const outWidth = Math.floor((width + 2 * padding[1] - kernelWidth) / stride[1]) + 1;
  if (outHeight < 1 || outWidth < 1) {
    const problem = `the kernel is larger than the padded image, padding ${padding}`;
    throw shapeError('conv2d', problem, tensors, 'Use a larger image or more padding.');
  }
  return [batch, outHeight, outWidth, outChannels];
}

const op = differentiable({
  name: 'conv2d',
  forward({ x, weight }: { x: Tensor; weight: Tensor }, geometry: Geometry) {
    const shape = outputShape(x, weight, geometry); // [B, H', W', O]
    const convolution = x.gpu.backend.convolution(x, weight.shape, geometry);
    return { output: convolution.forward(x, weight, shape, geometry) };
  },
  backward(grad, { inputs: { x, weight }, options: geometry }) {
    const convolution = x.gpu.backend.convolution(x, weight.shape, geometry);
    return {
      x: () => convolution.inputGradient(grad, weight, x.shape, geometry),
      weight: () => convolution.weightGradient(x, grad, weight.shape, geometry),
    };
  },
});

const pair = (value: number | readonly [number, number]): readonly [number, number] =>
  typeof value === 'number' ? [value, value] : value;

/**
 * x [B, H, W, C], weight [KH, KW, C, O] -> y [B, H', W', O],
 * y[b, i, j, o] = sum over ky, kx, c of x[b, i stride - padding + ky, j stride - padding + kx, c] weight[ky, kx, c, o],
 * H' = floor((H + 2 padding - KH) / stride) + 1. A cross-correlation, as PyTorch's conv2d without bias.
 * Gradients: dx reads dy where that equation holds backwards; dweight[ky, kx, c, o] = sum over b, i, j of x[...] dy[b,
 * i, j, o]. Cost: 2 B H' W' KH KW C O operations forward, twice that backward. Throws `shape` where channels differ or
 * the kernel does not fit.
 */
export function conv2d(x: Tensor, weight: Tensor, { stride = 1, padding = 0 }: Conv2dOptions = {}): Tensor {
  return op({ x, weight }, { stride: pair(stride), padding: pair(padding) });
}

/**
 * 2-d convolution, channels last: x [B, H, W, C], weight [KH, KW, C, O] -> y [B, H', W', O],
 * y[b, i, j, o] = sum over ky, kx, c of x[b, i * stride - padding + ky, j * stride - padding + kx, c] weight[ky, kx, c, o],
 * H' = floor((H + 2 padding - KH) / stride) + 1. A cross-correlation, as in PyTorch's conv2d without bias.
 * Cost: 2 B H' W' KH KW C O operations forward, twice that backward.
 */

import { columnsConvolution } from '../backends/software/conv2d_columns.ts';
import { fitsWinograd, winogradConvolution } from '../backends/software/conv2d_winograd.ts';
import { RomoError } from '../tensor/error.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { directConvolution } from './conv2d_direct.ts';
import { differentiable } from './tape.ts';

export interface Conv2dOptions {
  /** one number, or [vertical, horizontal]; default 1 */
  stride?: number | readonly [number, number];
  /** zeros around the image: one number, or [vertical, horizontal]; default 0 */
  padding?: number | readonly [number, number];
}

export interface Geometry {
  stride: readonly [number, number];
  padding: readonly [number, number];
}

/** One way to compute a convolution and its gradients; `shape` is that of what is returned. */
export interface Convolution {
  forward(x: Tensor, weight: Tensor, shape: readonly number[], geometry: Geometry): Tensor;
  inputGradient(grad: Tensor, weight: Tensor, shape: readonly number[], geometry: Geometry): Tensor;
  weightGradient(x: Tensor, grad: Tensor, shape: readonly number[], geometry: Geometry): Tensor;
}

/** The way that suits the machine and the shapes; all give the same numbers but for rounding. */
function convolutionFor(x: Tensor, weight: readonly number[], geometry: Geometry): Convolution {
  const outChannels = weight[3];
  if (x.gpu.machine.convolution === 'direct' || outChannels % 4 !== 0) return directConvolution;
  return x.channels % 4 === 0 && fitsWinograd(x, weight, geometry) ? winogradConvolution : columnsConvolution;
}

export const pair = (value: number | readonly [number, number]): readonly [number, number] =>
  typeof value === 'number' ? [value, value] : value;

/** Takes a tensor out of the scope of the part of a batch that it was made for. */
export function outOfPart(tensor: Tensor): Tensor {
  return tensor.scope ? tensor.scope.escape(tensor) : tensor;
}

function outputShape(x: Tensor, weight: Tensor, { stride, padding }: Geometry): number[] {
  const fault = (message: string, fix: string) =>
    new RomoError('shape', `conv2d: ${message} (x [${x.shape}], weight [${weight.shape}])`, fix);
  if (x.shape.length !== 4 || weight.shape.length !== 4) {
    throw fault(
      'x and weight need four axes',
      'x is [batch, height, width, channels], weight [height, width, in, out].',
    );
  }
  const [batch, height, width, channels] = x.shape;
  const [kernelHeight, kernelWidth, inChannels, outChannels] = weight.shape;
  if (inChannels !== channels) {
    throw fault(`weight has ${inChannels} input channels, x has ${channels}`, 'They must be equal.');
  }
  const outHeight = Math.floor((height + 2 * padding[0] - kernelHeight) / stride[0]) + 1;
  const outWidth = Math.floor((width + 2 * padding[1] - kernelWidth) / stride[1]) + 1;
  if (outHeight < 1 || outWidth < 1) {
    throw fault(
      `the kernel is larger than the padded image, padding ${padding}`,
      'Use a larger image or more padding.',
    );
  }
  return [batch, outHeight, outWidth, outChannels];
}

const op = differentiable<{ x: Tensor; weight: Tensor }, Geometry, Record<string, never>>({
  name: 'conv2d',
  forward({ x, weight }, geometry) {
    const shape = outputShape(x, weight, geometry);
    return { output: convolutionFor(x, weight.shape, geometry).forward(x, weight, shape, geometry), saved: {} };
  },
  backward(grad, { inputs: { x, weight }, options: geometry }) {
    const convolution = convolutionFor(x, weight.shape, geometry);
    return {
      x: () => convolution.inputGradient(grad, weight, x.shape, geometry),
      weight: () => convolution.weightGradient(x, grad, weight.shape, geometry),
    };
  },
});

/** See the head of this file. Throws `shape` where channels differ or the kernel does not fit. */
export function conv2d(x: Tensor, weight: Tensor, { stride = 1, padding = 0 }: Conv2dOptions = {}): Tensor {
  return op({ x, weight }, { stride: pair(stride), padding: pair(padding) });
}

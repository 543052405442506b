/**
 * 2-d convolution, channels last: x [B, H, W, C], weight [KH, KW, C, O] -> y [B, H', W', O],
 * y[b, i, j, o] = sum over ky, kx, c of x[b, i * stride - padding + ky, j * stride - padding + kx, c] weight[ky, kx, c, o],
 * H' = floor((H + 2 padding - KH) / stride) + 1. A cross-correlation, as in PyTorch's conv2d without bias.
 * Cost: 2 B H' W' KH KW C O operations forward, twice that backward.
 */
import source from '../shaders/conv2d.wgsl';
import subgroupSource from '../shaders/conv2d_subgroups.wgsl';
import { RomoError } from '../tensor/error.ts';
import { type Kernel, kernel, program } from '../tensor/kernel.ts';
import { bindable, parts } from '../tensor/parts.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { narrow, widen } from './concat.ts';
import { accumulate, columnSums } from './elementary.ts';
import { splitsFor, transposed } from './matmul.ts';
import { differentiable } from './tape.ts';

const conv = program('conv2d', source);
const weightGradientKernel = kernel(conv, 'weightGradient');
const weightGradientScalarKernel = kernel(conv, 'weightGradientScalar');

const subgroupConv = program('conv2d_subgroups', subgroupSource);
const subgroupWeightKernel = kernel(subgroupConv, 'weightGradient', {}, 8);

/** The gather kernels, one pipeline per division (the stride of a backward pass). */
const gatherKernels = new Map<string, Record<'tiles' | 'scalar' | 'subgroups', Kernel>>();
function gatherKernelsFor(divideY: number, divideX: number) {
  const key = `${divideY},${divideX}`;
  let kernels = gatherKernels.get(key);
  if (!kernels) {
    const constants = { DIVIDE_Y: divideY, DIVIDE_X: divideX };
    kernels = {
      tiles: kernel(conv, 'gather', constants),
      scalar: kernel(conv, 'gatherScalar', constants),
      subgroups: kernel(subgroupConv, 'gather', constants, 8),
    };
    gatherKernels.set(key, kernels);
  }
  return kernels;
}

export interface Conv2dOptions {
  /** one number, or [vertical, horizontal]; default 1 */
  stride?: number | readonly [number, number];
  /** zeros around the image: one number, or [vertical, horizontal]; default 0 */
  padding?: number | readonly [number, number];
}

interface Geometry {
  stride: readonly [number, number];
  padding: readonly [number, number];
}

export const pair = (value: number | readonly [number, number]): readonly [number, number] =>
  typeof value === 'number' ? [value, value] : value;

function sizesOf(from: readonly number[], to: readonly number[], kernelShape: readonly number[]) {
  return {
    batch: from[0],
    fromHeight: from[1],
    fromWidth: from[2],
    fromChannels: from[3],
    toHeight: to[1],
    toWidth: to[2],
    toChannels: to[3],
    kernelHeight: kernelShape[0],
    kernelWidth: kernelShape[1],
    splits: 1,
    chunk: 0,
  };
}

function forwardSteps({ stride, padding }: Geometry) {
  const [offsetY, offsetX] = [-padding[0], -padding[1]];
  return { multiplyY: stride[0], multiplyX: stride[1], divideY: 1, divideX: 1, tapSign: 1, offsetY, offsetX };
}

function backwardSteps({ stride, padding }: Geometry) {
  const [offsetY, offsetX] = padding;
  return { multiplyY: 1, multiplyX: 1, divideY: stride[0], divideX: stride[1], tapSign: -1, offsetY, offsetX };
}

/** x [B, H, W, C] and weight [KH, KW, C, O], read by the given steps, into an image of shape `to`. */
function gather(x: Tensor, weight: Tensor, to: readonly number[], steps: ReturnType<typeof forwardSteps>): Tensor {
  const { gpu } = x;
  const out = gpu.empty(to);
  const { divideY, divideX, ...rest } = steps;
  const sizes = { ...sizesOf(x.shape, to, weight.shape), ...rest };
  const kernels = gatherKernelsFor(divideY, divideX);
  const wide = x.channels % 4 === 0 && out.channels % 4 === 0;
  const cut = { items: sizes.batch, per: { x: x.size / sizes.batch, out: out.size / sizes.batch } };
  for (const { tensors, count } of parts(gpu, { x, out }, cut)) {
    const part = { ...sizes, batch: count };
    const pixels = tensors.out.size / out.channels;
    const bindings = { x4: tensors.x, weight4: weight, out4: tensors.out };
    if (!wide) gpu.dispatch(kernels.scalar, { ...tensors, weight }, part, tensors.out.size);
    else if (gpu.sharesLoads) {
      gpu.dispatch(kernels.subgroups, bindings, part, 8 * Math.ceil(pixels / 32) * Math.ceil(out.channels / 16));
    } else gpu.dispatch(kernels.tiles, bindings, part, Math.ceil(pixels / 8) * Math.ceil(out.channels / 8));
  }
  return out;
}

function weightGradient(x: Tensor, grad: Tensor, shape: readonly number[], geometry: Geometry): Tensor {
  const { gpu } = x;
  if (!bindable(gpu, x, grad)) {
    const items = x.shape[0];
    let total: Tensor | null = null;
    for (const { tensors, count } of parts(
      gpu,
      { x, grad },
      { items, per: { x: x.size / items, grad: grad.size / items } },
    )) {
      const images = tensors.x.view([count, ...x.shape.slice(1)]);
      const grads = tensors.grad.view([count, ...grad.shape.slice(1)]);
      total = accumulate(total, weightGradientOfPart(images, grads, shape, geometry));
    }
    return total as Tensor;
  }
  return weightGradientOfPart(x, grad, shape, geometry);
}

function weightGradientOfPart(x: Tensor, grad: Tensor, shape: readonly number[], geometry: Geometry): Tensor {
  const { gpu } = x;
  const [kernelHeight, kernelWidth, inChannels, outChannels] = shape;
  const wide = inChannels % 4 === 0 && outChannels % 4 === 0;
  const shared = wide && gpu.sharesLoads;
  const taps = kernelHeight * kernelWidth;
  const narrowTiles = taps * (wide ? Math.ceil(inChannels / 8) * Math.ceil(outChannels / 8) : inChannels * outChannels);
  const tiles = shared ? Math.ceil((taps * inChannels) / 32) * Math.ceil(outChannels / 16) : narrowTiles;
  const splits = splitsFor(gpu.software, tiles, grad.rows);
  const chunk = Math.ceil(grad.rows / splits);
  const { divideY: _y, divideX: _x, ...steps } = forwardSteps(geometry);
  const sizes = { ...sizesOf(x.shape, grad.shape, shape), ...steps, splits, chunk };
  const parts = gpu.empty([splits, ...shape]);
  const bindings = { x4: x, grad4: grad, out4: parts };
  if (shared) gpu.dispatch(subgroupWeightKernel, bindings, sizes, 8 * tiles * splits);
  else if (wide) gpu.dispatch(weightGradientKernel, bindings, sizes, tiles * splits);
  else gpu.dispatch(weightGradientScalarKernel, { x, grad, out: parts }, sizes, tiles * splits);
  return splits === 1 ? parts.view(shape) : columnSums(parts, 1, parts.size / splits).view(shape);
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

/** Grey and colour images get channels of zeros, up to a multiple of 4: the kernels for four at a time gain more than that costs. */
function padChannels(x: Tensor, weight: Tensor): { wideX: Tensor; wideWeight: Tensor } {
  const [height, width, channels, outChannels] = weight.shape;
  if (channels % 4 === 0 || outChannels % 4 !== 0) return { wideX: x, wideWeight: weight };
  const wide = 4 * Math.ceil(channels / 4);
  const wideX = widen(x, x.rows, channels, wide).view([...x.shape.slice(0, 3), wide]);
  const wideWeight = widen(weight, height * width, channels * outChannels, wide * outChannels);
  return { wideX, wideWeight: wideWeight.view([height, width, wide, outChannels]) };
}

const op = differentiable<{ x: Tensor; weight: Tensor }, Geometry, { wideX: Tensor; wideWeight: Tensor }>({
  name: 'conv2d',
  forward({ x, weight }, geometry) {
    const shape = outputShape(x, weight, geometry);
    const saved = padChannels(x, weight);
    return { output: gather(saved.wideX, saved.wideWeight, shape, forwardSteps(geometry)), saved };
  },
  backward(grad, { inputs: { x, weight }, options: geometry, saved: { wideX, wideWeight } }) {
    const [height, width, channels, outChannels] = weight.shape;
    return {
      x: () => {
        // [KH, KW, C, O] -> [KH, KW, O, C]: the gradient flows from output to input channels
        const wide = gather(grad, transposed(wideWeight), wideX.shape, backwardSteps(geometry));
        return wideX === x ? wide : narrow(wide, x.rows, wideX.channels, channels).view(x.shape);
      },
      weight: () => {
        const wide = weightGradient(wideX, grad, wideWeight.shape, geometry);
        if (wideWeight === weight) return wide;
        const [from, to] = [wideX.channels * outChannels, channels * outChannels];
        return narrow(wide, height * width, from, to).view(weight.shape);
      },
    };
  },
});

/** See the head of this file. Throws `shape` where channels differ or the kernel does not fit. */
export function conv2d(x: Tensor, weight: Tensor, { stride = 1, padding = 0 }: Conv2dOptions = {}): Tensor {
  return op({ x, weight }, { stride: pair(stride), padding: pair(padding) });
}

/**
 * The definitions: one element per invocation, every sum in the order in which it is written down. Slow, and short
 * enough to read: matmul.wgsl, conv2d.wgsl, knn.wgsl, search.wgsl. The other backends are held to the same float64
 * references as this one.
 */
import { columnSums, sumOfWindows } from '../autograd/elementary.ts';
import conv2dSource from '../shaders/conv2d.wgsl';
import knnSource from '../shaders/knn.wgsl';
import matmulSource from '../shaders/matmul.wgsl';
import searchSource from '../shaders/search.wgsl';
import { kernel, program } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Backend, type Convolution, type Geometry, type Product, productWork } from './backend.ts';
import { splitsFor } from './splits.ts';

const productKernel = kernel(program('matmul', matmulSource), 'product');
const conv2d = program('conv2d', conv2dSource);
const convolveKernel = kernel(conv2d, 'convolve');
const weightGradientKernel = kernel(conv2d, 'weightGradient');
const knnKernel = kernel(program('knn', knnSource), 'knnScalar');
const scanKernel = kernel(program('search', searchSource), 'scanScalar');

/** out = a b, any sizes. */
export function multiplyScalar(a: Tensor, b: Tensor, out: Tensor, product: Product): void {
  const { transposeA, transposeB, ...sizes } = product;
  const { rows, columns, inner } = sizes;
  const ofA = transposeA ? { aRow: 1, aInner: rows } : { aRow: inner, aInner: 1 };
  const ofB = transposeB ? { bInner: 1, bColumn: inner } : { bInner: columns, bColumn: 1 };
  launch(productKernel, { a, b, out }, { ...sizes, ...ofA, ...ofB }, { work: productWork(product) });
}

/** Operations of a search for neighbours: all pairs of points of a cloud, and a list to keep. */
export const nearestWork = ({ batch, points, channels }: Record<'batch' | 'points' | 'channels', number>) =>
  batch * points ** 2 * (3 * channels + 10);

/** x [B, N, C] -> neighbours [B, N, k]. */
export function nearestScalar(x: Tensor, neighbours: Tensor): void {
  const [batch, points, channels] = x.shape;
  const sizes = { batch, points, channels, k: neighbours.channels };
  const options = { along: 'batch', invocations: batch * points, work: nearestWork(sizes) };
  launch(knnKernel, { x, neighbours }, sizes, options);
}

/** From the output pixel to the pixel that it reads: output * stride - padding + tap. */
export function forwardSteps({ stride, padding }: Geometry) {
  const [offsetY, offsetX] = [-padding[0], -padding[1]];
  return { multiplyY: stride[0], multiplyX: stride[1], divideY: 1, divideX: 1, tapSign: 1, offsetY, offsetX };
}

/** The same backwards: (input + padding - tap) / stride. */
export function backwardSteps({ stride, padding }: Geometry) {
  const [offsetY, offsetX] = padding;
  return { multiplyY: 1, multiplyX: 1, divideY: stride[0], divideX: stride[1], tapSign: -1, offsetY, offsetX };
}

export type Steps = ReturnType<typeof forwardSteps>;

/**
 * Sizes of the image read (from) and of the image written (to); for a weight gradient, `to` is the output's gradient.
 */
export function imageSizes(from: readonly number[], to: readonly number[]) {
  const [, fromHeight, fromWidth, fromChannels] = from;
  const [, toHeight, toWidth] = to;
  return { fromHeight, fromWidth, fromChannels, toHeight, toWidth };
}

function convolve(x: Tensor, weight: Tensor, to: readonly number[], steps: Steps, weightSteps: WeightSteps): Tensor {
  const [kernelHeight, kernelWidth] = weight.shape;
  const out = x.gpu.empty(to);
  const image = { ...imageSizes(x.shape, to), batch: to[0], toChannels: to[3], kernelHeight, kernelWidth };
  const sizes = { ...image, ...steps, ...weightSteps, splits: 1, chunk: 0 };
  const work = (2 * out.size * weight.size) / image.toChannels;
  launch(convolveKernel, { x, weight, out }, sizes, { along: 'batch', whole: ['weight'], work });
  return out;
}

/** Elements between the weights of neighbouring channels that are read, and that are written. */
type WeightSteps = { weightFrom: number; weightTo: number };

/** Convolutions as they are defined. @param busy workgroups for which the sum of a weight gradient is split; 1: not at all */
export const scalarConvolution = (busy: number): Convolution => ({
  forward(x, weight, shape, geometry) {
    return convolve(x, weight, shape, forwardSteps(geometry), { weightFrom: weight.channels, weightTo: 1 });
  },
  inputGradient(grad, weight, shape, geometry) {
    return convolve(grad, weight, shape, backwardSteps(geometry), { weightFrom: 1, weightTo: weight.channels });
  },
  weightGradient(x, grad, shape, geometry) {
    const [kernelHeight, kernelWidth, inChannels, toChannels] = shape;
    const elements = kernelHeight * kernelWidth * inChannels * toChannels;
    const [batch] = x.shape;
    const image = { ...imageSizes(x.shape, grad.shape), toChannels, kernelHeight, kernelWidth };
    const fixed = { ...image, ...forwardSteps(geometry), weightFrom: 0, weightTo: 0 };
    const images = { items: batch, per: { x: x.size / batch, grad: grad.size / batch } };
    const total = sumOfWindows(x.gpu, { x, grad }, images, ({ tensors, count }) => {
      const pixels = tensors.grad.size / toChannels;
      const splits = splitsFor(busy, Math.ceil(elements / 64), pixels);
      const out = x.gpu.empty([splits, elements]);
      launch(
        weightGradientKernel,
        { ...tensors, out },
        { ...fixed, batch: count, splits, chunk: Math.ceil(pixels / splits) },
        { work: 2 * elements * pixels },
      );
      return splits === 1 ? out : columnSums(out, 1, elements);
    });
    return total.view(shape);
  },
});

/** Runs on every adapter; the one to compare with. */
export const reference: Backend = {
  name: 'reference',
  isWide: false,
  rowLanes: 1,
  longestSum: Number.POSITIVE_INFINITY,
  multiply: multiplyScalar,
  convolution: () => scalarConvolution(1),
  nearest: nearestScalar,
  scan: (queries) => ({ kernel: scanKernel, unit: 1, slices: 1, invocations: (slices) => slices * queries }),
};

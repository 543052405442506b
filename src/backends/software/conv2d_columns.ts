/**
 * Convolutions as one matrix product each, over columns: the pixels that an output pixel reads, side by side (im2col).
 * Images are worked on a few at a time, so that their columns stay small.
 */
import { narrow, widen } from '../../autograd/concat.ts';
import { sumOfWindows } from '../../autograd/elementary.ts';
import { product } from '../../autograd/matmul.ts';
import { kernel, kernelPair, program } from '../../tensor/kernel.ts';
import { type Cut, launch, type Window, windows } from '../../tensor/launch.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Convolution, Geometry } from '../backend.ts';
import source from './conv2d_columns.wgsl';

const columnsProgram = program('conv2d_columns', source);
const columnsKernel = kernelPair(columnsProgram, 'columns');
const stepsKernel = kernel(columnsProgram, 'steps');
const imageKernel = kernelPair(columnsProgram, 'image');

const NEAR_BYTES = 2 ** 24; // of the columns of a window

/** The sizes that both kernels take, for whole images x [B, H, W, C] and outputs [B, H', W', O]. */
function sizesOf(x: Tensor, [, outHeight, outWidth]: readonly number[], weight: readonly number[], g: Geometry) {
  const [batch, height, width, channels] = x.shape;
  const [kernelHeight, kernelWidth] = weight;
  const image = { batch, height, width, channels, outHeight, outWidth, kernelHeight, kernelWidth };
  const steps = { strideY: g.stride[0], strideX: g.stride[1], padY: g.padding[0], padX: g.padding[1] };
  return { ...image, ...steps, row: rowOf(weight) };
}

/** Length of a row of columns: all that an output pixel reads, and zeros up to a multiple of 4. */
const rowOf = ([height, width, channels]: readonly number[]): number => 4 * Math.ceil((height * width * channels) / 4);

/** A 1x1 kernel of stride 1 reads just what is there. */
const isProduct = ([height, width, channels]: readonly number[], { stride, padding }: Geometry): boolean =>
  height === 1 && width === 1 && channels % 4 === 0 && Math.max(...stride) === 1 && Math.max(...padding) === 0;

/** x [B, H, W, C] -> columns [B H' W', row]. */
function columnsOf(x: Tensor, output: readonly number[], weight: readonly number[], geometry: Geometry): Tensor {
  const sizes = sizesOf(x, output, weight, geometry);
  const pixels = sizes.batch * sizes.outHeight * sizes.outWidth;
  if (isProduct(weight, geometry)) return x.view([pixels, sizes.row]);
  const out = x.gpu.empty([pixels, sizes.row]);
  // The kernel walks along channels: their number is not that of the invocations.
  const invocations = pixels * sizes.kernelHeight * (sizes.channels % 4 === 0 ? 4 : 1);
  launch(columnsKernel, { x, columnsOut: out }, sizes, { invocations });
  return out;
}

/** The same, transposed: [KH KW C, B H' W']. */
function stepsOf(x: Tensor, output: readonly number[], weight: readonly number[], geometry: Geometry): Tensor {
  const [height, width, channels] = weight;
  const sizes = sizesOf(x, output, weight, geometry);
  const pixels = sizes.batch * sizes.outHeight * sizes.outWidth;
  const columnsOut = x.gpu.empty([height * width * channels, pixels]);
  launch(stepsKernel, { x, columnsOut }, sizes, { invocations: pixels * height });
  return columnsOut;
}

/** weight [KH, KW, C, O] -> [row, O]. */
function matrixOf(weight: Tensor): Tensor {
  const { size, channels } = weight;
  const row = rowOf(weight.shape);
  if (row * channels === size) return weight.view([row, channels]);
  return widen(weight, 1, size, row * channels).view([row, channels]);
}

/** Cuts x and y, images of one batch, such that the columns of a window stay small. */
function nearCut(x: Tensor, y: Tensor, outputPixels: number, weight: readonly number[]): Cut {
  const items = x.shape[0];
  const most = Math.max(1, Math.floor(NEAR_BYTES / (4 * outputPixels * rowOf(weight))));
  return { items, per: { x: x.size / items, y: y.size / items }, most };
}

/** The images of a window. */
const imagesOf = ({ tensors, count }: Window<'x' | 'y'>, x: Tensor, y: Tensor) => ({
  x: tensors.x.view([count, ...x.shape.slice(1)]),
  y: tensors.y.view([count, ...y.shape.slice(1)]),
});

export const columnsConvolution: Convolution = {
  forward(images, weight, shape, geometry) {
    const out = images.gpu.empty(shape);
    using _scope = images.gpu.scope();
    const { channels } = weight;
    const cut = nearCut(images, out, shape[1] * shape[2], weight.shape);
    for (const window of windows(images.gpu, { x: images, y: out }, cut)) {
      using _window = images.gpu.scope();
      const { x, y } = imagesOf(window, images, out);
      const into = y.view([y.rows, channels]);
      if (y.rows % 4 === 0 && !isProduct(weight.shape, geometry)) {
        const steps = stepsOf(x, shape, weight.shape, geometry);
        product(steps, weight.view([weight.rows, channels]), { transposeA: true, into });
      } else product(columnsOf(x, shape, weight.shape, geometry), matrixOf(weight), { into });
    }
    return out;
  },

  inputGradient(grads, weight, shape, geometry) {
    const out = grads.gpu.empty(shape);
    using _scope = grads.gpu.scope();
    const matrix = matrixOf(weight);
    const whole = isProduct(weight.shape, geometry);
    const cut = nearCut(grads, out, grads.shape[1] * grads.shape[2], weight.shape);
    for (const window of windows(grads.gpu, { x: grads, y: out }, cut)) {
      using _window = grads.gpu.scope();
      const { x: grad, y } = imagesOf(window, grads, out);
      const rows = grad.view([grad.rows, grad.channels]);
      if (whole) {
        product(rows, matrix, { transposeB: true, into: y.view([y.rows, y.channels]) });
        continue;
      }
      const columnsIn = product(rows, matrix, { transposeB: true });
      const sizes = sizesOf(y, grads.shape, weight.shape, geometry);
      launch(imageKernel, { columnsIn, out: y }, sizes);
    }
    return out;
  },

  weightGradient(images, grads, shape, geometry) {
    const [height, width, channels, outChannels] = shape;
    const size = height * width * channels * outChannels;
    const cut = nearCut(images, grads, grads.shape[1] * grads.shape[2], shape);
    const matrix = sumOfWindows(images.gpu, { x: images, y: grads }, cut, (window) => {
      const { x, y: grad } = imagesOf(window, images, grads);
      const columns = columnsOf(x, grads.shape, shape, geometry);
      return product(columns, grad.view([grad.rows, outChannels]), { transposeA: true });
    });
    if (matrix.size === size) return matrix.view(shape);
    return narrow(matrix, 1, matrix.size, size).view(shape);
  },
};

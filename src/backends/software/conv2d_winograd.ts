/**
 * Convolutions with 3x3 kernels and stride 1 by Winograd's F(2x2, 3x3): 16 matrix products over the tiles of the image,
 * 16 multiplications where the direct way has 36 (Lavin and Gray 2016). Images are worked on a few at a time, so that
 * what is between the passes stays near the caches.
 */
import { sumOfWindows } from '../../autograd/elementary.ts';
import { product } from '../../autograd/matmul.ts';
import { type Kernel, kernel, program } from '../../tensor/kernel.ts';
import { type Cut, launch, windows } from '../../tensor/launch.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Convolution, Geometry } from '../backend.ts';
import source from './conv2d_winograd.wgsl';

const winograd = program('conv2d_winograd', source);
const inputTransform = kernel(winograd, 'inputTransform');
const inputSteps = kernel(winograd, 'inputSteps');
const outputTransform = kernel(winograd, 'outputTransform');
const gradientTransform = kernel(winograd, 'gradientTransform');
const weightTransform = kernel(winograd, 'weightTransform');
const weightGradientTransform = kernel(winograd, 'weightGradientTransform');

const POSITIONS = 16; // of a 4x4 tile
const NEAR_BYTES = 2 ** 23; // of the positions of a window

interface Tiles {
  tilesY: number;
  tilesX: number;
}

/** The tiles of 2x2 pixels that cover an image. */
const tilesOver = ([, height, width]: readonly number[]): Tiles => ({
  tilesY: Math.ceil(height / 2),
  tilesX: Math.ceil(width / 2),
});

/** Can Winograd be used (3x3, stride 1, one image fits a binding), and does it pay? */
export function fitsWinograd(
  x: Tensor,
  [height, width, inChannels, outChannels]: readonly number[],
  geometry: Geometry,
) {
  const { stride, padding } = geometry;
  const small = Math.min(inChannels, outChannels);
  if (height !== 3 || width !== 3 || stride[0] !== 1 || stride[1] !== 1 || Math.max(...padding) > 2) return false;
  const [batch, imageHeight, imageWidth] = x.shape;
  const tiles = Math.ceil(imageHeight / 2 + padding[0] - 1) * Math.ceil(imageWidth / 2 + padding[1] - 1);
  const bytes = 4 * POSITIONS * (tiles + imageHeight + imageWidth) * Math.max(inChannels, outChannels);
  // A tile of the matrix product has 32 rows: with fewer of them in all, 36 multiplications are as cheap as 16.
  return small >= 16 && batch * tiles >= 32 && bytes <= x.gpu.bindableBytes;
}

/** Cuts a batch of images, x and what belongs to it, such that the positions of a window stay small. */
function nearCut(x: Tensor, y: Tensor, { tilesY, tilesX }: Tiles): Cut {
  const items = x.shape[0];
  const bytes = 4 * POSITIONS * tilesY * tilesX * Math.max(x.channels, y.channels);
  const most = Math.max(1, Math.floor(NEAR_BYTES / bytes));
  return { items, per: { x: x.size / items, y: y.size / items }, most };
}

const imagesOf = (window: Tensor, of: Tensor, count: number): Tensor => window.view([count, ...of.shape.slice(1)]);

/** The launch that all transforms of images share, over the tiles of `image`. */
function sizesOf(image: Tensor, tiles: Tiles, [padY, padX]: readonly number[], rotated: boolean, stride: number) {
  const [batch, height, width, channels] = image.shape;
  const sizes = { batch, height, width, channels: channels / 4, rows: 0, ...tiles };
  return { ...sizes, offsetY: -padY, offsetX: -padX, rotated: Number(rotated), stride };
}

const countOf = (image: Tensor, { tilesY, tilesX }: Tiles): number => image.shape[0] * tilesY * tilesX;

/** `image` to positions [16, tiles, C]: overlapping tiles for `inputTransform`, 2x2 for `gradientTransform`. */
function toPositions(transform: Kernel, image: Tensor, tiles: Tiles, padding: readonly number[]): Tensor {
  const count = countOf(image, tiles);
  const positionsOut = image.gpu.empty([POSITIONS, count, image.channels]);
  const sizes = sizesOf(image, tiles, padding, false, count);
  launch(transform, { image, positionsOut }, sizes, { invocations: (count * image.channels) / 4 });
  return positionsOut;
}

/** `image` to positions [16, C, tiles]; tiles are padded to a multiple of 4 with values that are never read. */
function toSteps(image: Tensor, tiles: Tiles, padding: readonly number[], rotated: boolean): Tensor {
  const count = countOf(image, tiles);
  const stride = 4 * Math.ceil(count / 4);
  const bySteps = image.gpu.empty([POSITIONS, image.channels, stride]);
  const sizes = sizesOf(image, tiles, padding, rotated, stride);
  launch(inputSteps, { image, bySteps }, sizes, { invocations: (count * image.channels) / 4 });
  return bySteps;
}

/** Positions [16, stride, C] to the image `out`. */
function fromPositions(positions: Tensor, out: Tensor, tiles: Tiles, rotated: boolean): void {
  const sizes = sizesOf(out, tiles, [0, 0], rotated, positions.shape[1]);
  const invocations = (countOf(out, tiles) * out.channels) / 4;
  launch(outputTransform, { positionsIn: positions, out }, sizes, { invocations });
}

const NO_IMAGE = {
  batch: 0,
  height: 0,
  width: 0,
  tilesY: 0,
  tilesX: 0,
  offsetY: 0,
  offsetX: 0,
  rotated: 0,
};

/** weight [3, 3, C, O] to positions [16, C, O]. */
function weightPositions(weight: Tensor): Tensor {
  const [, , rows, channels] = weight.shape;
  const positionsOut = weight.gpu.empty([POSITIONS, rows, channels]);
  const sizes = { ...NO_IMAGE, rows, stride: rows, channels: channels / 4 };
  launch(weightTransform, { weight, positionsOut }, sizes, { invocations: (rows * channels) / 4 });
  return positionsOut;
}

/**
 * Convolves `from` with weights [3, 3, from, to] into images of `shape`. With `rotated` the weights are rotated by 180
 * degrees and transposed: the input gradient.
 */
function convolve(
  from: Tensor,
  weight: Tensor,
  shape: readonly number[],
  padding: readonly number[],
  rotated: boolean,
) {
  const { gpu } = from;
  const out = gpu.empty(shape);
  using _scope = gpu.scope();
  const tiles = tilesOver(shape);
  const positions = weightPositions(weight);
  for (const { tensors, count } of windows(gpu, { x: from, y: out }, nearCut(from, out, tiles))) {
    using _window = gpu.scope();
    const source = toSteps(imagesOf(tensors.x, from, count), tiles, padding, rotated);
    const result = product(source, positions, { transposeA: true, transposeB: rotated });
    source.dispose();
    fromPositions(result, imagesOf(tensors.y, out, count), tiles, rotated);
  }
  return out;
}

export const winogradConvolution: Convolution = {
  forward: (x, weight, shape, { padding }) => convolve(x, weight, shape, padding, false),

  inputGradient(grad, weight, shape, { padding }) {
    const around = padding.map((pad) => 2 - pad);
    return convolve(grad, weight, shape, around, true);
  },

  weightGradient(image, grad, shape, { padding }) {
    const { gpu } = image;
    const [, , rows, channels] = shape;
    const tiles = tilesOver(grad.shape);
    const cut = nearCut(image, grad, tiles);
    const total = sumOfWindows(gpu, { x: image, y: grad }, cut, ({ tensors, count }) => {
      const source = toPositions(inputTransform, imagesOf(tensors.x, image, count), tiles, padding);
      const target = toPositions(gradientTransform, imagesOf(tensors.y, grad, count), tiles, [0, 0]);
      return product(source, target, { transposeA: true });
    });
    const weightGrad = gpu.empty(shape);
    const sizes = { ...NO_IMAGE, rows, stride: rows, channels: channels / 4 };
    const invocations = (rows * channels) / 4;
    launch(weightGradientTransform, { positionsIn: total, weightGrad }, sizes, { invocations });
    total.dispose();
    return weightGrad;
  },
};

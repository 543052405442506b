/**
 * Convolutions with 3x3 kernels and stride 1 by Winograd's F(2x2, 3x3): 16 matrix products over the tiles of the image, 16
 * multiplications where the direct way has 36. See winograd.wgsl. For CPUs that play GPU; the work is cut between images so
 * that what lies between the passes stays near the caches.
 */

import { type Convolution, type Geometry, outOfPart } from '../../autograd/conv2d.ts';
import { accumulate } from '../../autograd/elementary.ts';
import { product } from '../../autograd/matmul.ts';
import { type Kernel, kernel, program } from '../../tensor/kernel.ts';
import { parts } from '../../tensor/launch.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import source from './winograd.wgsl';

const winograd = program('winograd', source);
const inputTransform = kernel(winograd, 'inputTransform');
const inputSteps = kernel(winograd, 'inputSteps');
const outputTransform = kernel(winograd, 'outputTransform');
const gradientTransform = kernel(winograd, 'gradientTransform');
const weightTransform = kernel(winograd, 'weightTransform');
const weightGradientTransform = kernel(winograd, 'weightGradientTransform');

const POSITIONS = 16; // of a 4x4 tile
const NEAR_BYTES = 2 ** 23; // of the positions of a part

interface Tiles {
  tilesY: number;
  tilesX: number;
}

/** The tiles of 2x2 pixels that cover an image. */
const tilesOver = ([, height, width]: readonly number[]): Tiles => ({
  tilesY: Math.ceil(height / 2),
  tilesX: Math.ceil(width / 2),
});

/** Does one image with its positions fit into a binding, and is there enough to multiply to make up for the transforms? */
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

/** Cuts a batch of images, x and what belongs to it, into parts whose positions stay small. */
function* nearParts(x: Tensor, y: Tensor, { tilesY, tilesX }: Tiles) {
  const items = x.shape[0];
  const bytes = 4 * POSITIONS * tilesY * tilesX * Math.max(x.channels, y.channels);
  const most = Math.max(1, Math.floor(NEAR_BYTES / bytes));
  const cut = { items, per: { x: x.size / items, y: y.size / items }, most };
  for (const { tensors, count } of parts(x.gpu, { x, y }, cut)) {
    using _scope = x.gpu.scope(); // frees what is made for the part
    yield { x: images(tensors.x, x, count), y: images(tensors.y, y, count) };
  }
}

const images = (part: Tensor, of: Tensor, count: number): Tensor => part.view([count, ...of.shape.slice(1)]);

/** The launch that all transforms of images share, over the tiles of `image`. */
function sizesOf(image: Tensor, tiles: Tiles, [padY, padX]: readonly number[], turned: boolean, stride: number) {
  const [batch, height, width, channels] = image.shape;
  const sizes = { batch, height, width, channels: channels / 4, rows: 0, ...tiles };
  return { ...sizes, offsetY: -padY, offsetX: -padX, turned: Number(turned), stride };
}

const countOf = (image: Tensor, { tilesY, tilesX }: Tiles): number => image.shape[0] * tilesY * tilesX;

/** `image` to positions [16, tiles, C]: by `inputTransform` of overlapping tiles, by `gradientTransform` of such of 2x2. */
function toPositions(transform: Kernel, image: Tensor, tiles: Tiles, padding: readonly number[]): Tensor {
  const count = countOf(image, tiles);
  const positions = image.gpu.empty([POSITIONS, count, image.channels]);
  const sizes = sizesOf(image, tiles, padding, false, count);
  image.gpu.dispatch(transform, { image, positions }, sizes, (count * image.channels) / 4);
  return positions;
}

/** `image` to positions [16, C, tiles]; the tiles are filled up to a multiple of 4 with what nobody reads. */
function toSteps(image: Tensor, tiles: Tiles, padding: readonly number[], turned: boolean): Tensor {
  const count = countOf(image, tiles);
  const stride = 4 * Math.ceil(count / 4);
  const bySteps = image.gpu.empty([POSITIONS, image.channels, stride]);
  const sizes = sizesOf(image, tiles, padding, turned, stride);
  image.gpu.dispatch(inputSteps, { image, bySteps }, sizes, (count * image.channels) / 4);
  return bySteps;
}

/** Positions [16, stride, C] to the image `out`. */
function fromPositions(positions: Tensor, out: Tensor, tiles: Tiles, turned: boolean): void {
  const sizes = sizesOf(out, tiles, [0, 0], turned, positions.shape[1]);
  const invocations = (countOf(out, tiles) * out.channels) / 4;
  out.gpu.dispatch(outputTransform, { positions_: positions, out }, sizes, invocations);
}

const NO_IMAGE = {
  batch: 0,
  height: 0,
  width: 0,
  tilesY: 0,
  tilesX: 0,
  offsetY: 0,
  offsetX: 0,
  turned: 0,
};

/** weight [3, 3, C, O] to positions [16, C, O]. */
function weightPositions(weight: Tensor): Tensor {
  const [, , rows, channels] = weight.shape;
  const positions = weight.gpu.empty([POSITIONS, rows, channels]);
  const sizes = { ...NO_IMAGE, rows, stride: rows, channels: channels / 4 };
  weight.gpu.dispatch(weightTransform, { weight, positions }, sizes, (rows * channels) / 4);
  return positions;
}

/**
 * Reads `from` through weights [3, 3, from, to] into images of `shape`; `turned` by 180 degrees and as [3, 3, to, from] they take
 * the gradient back.
 */
function convolve(from: Tensor, weight: Tensor, shape: readonly number[], padding: readonly number[], turned: boolean) {
  const { gpu } = from;
  const out = gpu.empty(shape);
  using _scope = gpu.scope();
  const tiles = tilesOver(shape);
  const positions = weightPositions(weight);
  for (const { x, y } of nearParts(from, out, tiles)) {
    const source = toSteps(x, tiles, padding, turned);
    const result = product(source, positions, { transposeA: true, transposeB: turned });
    source.dispose();
    fromPositions(result, y, tiles, turned);
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
    let total: Tensor | null = null;
    for (const { x, y } of nearParts(image, grad, tiles)) {
      const source = toPositions(inputTransform, x, tiles, padding);
      const target = toPositions(gradientTransform, y, tiles, [0, 0]);
      total = outOfPart(accumulate(total, product(source, target, { transposeA: true })));
    }
    const out = gpu.empty(shape);
    const sizes = { ...NO_IMAGE, rows, stride: rows, channels: channels / 4 };
    const bindings = { positions_: total as Tensor, weightGrad: out };
    gpu.dispatch(weightGradientTransform, bindings, sizes, (rows * channels) / 4);
    total?.dispose();
    return out;
  },
};

/**
 * Convolutions in one pass over the image: on a GPU as matrix products whose tiles are read straight from it (products.wgsl),
 * and element by element (conv2d.wgsl) where the output channels are no multiple of 4.
 */
import source from '../shaders/conv2d.wgsl';
import { kernel, program } from '../tensor/kernel.ts';
import { bindable, parts } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { narrow, widen } from './concat.ts';
import type { Convolution, Geometry } from './conv2d.ts';
import { accumulate, columnSums } from './elementary.ts';
import { productsProgram, splitsFor, transposed } from './matmul.ts';

const conv = program('conv2d', source);
const scalarGather = kernel(conv, 'gather');
const scalarWeightGradient = kernel(conv, 'weightGradient');
const tilesGather = kernel(productsProgram, 'gather');
const tilesWeightGradient = kernel(productsProgram, 'weightGradient');

const TILE = 64; // rows and columns of a tile of products.wgsl

function forwardSteps({ stride, padding }: Geometry) {
  const [offsetY, offsetX] = [-padding[0], -padding[1]];
  return { multiplyY: stride[0], multiplyX: stride[1], divideY: 1, divideX: 1, tapSign: 1, offsetY, offsetX };
}

function backwardSteps({ stride, padding }: Geometry) {
  const [offsetY, offsetX] = padding;
  return { multiplyY: 1, multiplyX: 1, divideY: stride[0], divideX: stride[1], tapSign: -1, offsetY, offsetX };
}

type Steps = ReturnType<typeof forwardSteps>;

/** The images that are read and written; of a weight gradient, the output's gradient is the latter. */
function imageSizes(from: readonly number[], to: readonly number[]) {
  const [, fromHeight, fromWidth, fromChannels] = from;
  const [, toHeight, toWidth] = to;
  return { fromHeight, fromWidth, fromChannels, toHeight, toWidth };
}

const wide = (weight: readonly number[]): boolean => weight[2] % 4 === 0 && weight[3] % 4 === 0;

/** A launch in tiles of rows x columns, the sum over `inner` cut into parts; `out` gets their total. */
function launchTiles(
  launched: typeof tilesGather,
  bindings: { a4: Tensor; b4: Tensor },
  out: Tensor,
  [rows, columns, inner]: readonly [number, number, number],
  image: Steps & ReturnType<typeof imageSizes> & { kernelWidth: number },
): void {
  const { gpu } = out;
  const tiles = Math.ceil(rows / TILE) * Math.ceil(columns / TILE);
  const splits = splitsFor(gpu.machine, tiles, inner);
  const sums = splits === 1 ? out : gpu.empty([splits, rows, columns]);
  const product = { batches: 1, splits, rows, columns, inner, chunk: 4 * Math.ceil(inner / splits / 4) };
  const operands = { aBatch: 0, bBatch: 0, transposeA: 0, transposeB: 0 };
  gpu.dispatch(launched, { ...bindings, out4: sums }, { ...product, ...operands, ...image }, TILE * tiles * splits);
  if (splits === 1) return;
  columnSums(sums, 1, rows * columns, 1, out);
  sums.dispose();
}

/** x is read through weight [KH, KW, C, O], C and O changing roles in the gradient, by the given steps into an image of shape `to`. */
function gather(x: Tensor, weight: Tensor, to: readonly number[], steps: Steps): Tensor {
  const { gpu } = x;
  const [kernelHeight, kernelWidth, inChannels, outChannels] = weight.shape;
  const back = steps.tapSign < 0;
  const toChannels = back ? inChannels : outChannels;
  const weightSteps = back ? { weightFrom: 1, weightTo: outChannels } : { weightFrom: outChannels, weightTo: 1 };
  const matrix = back && wide(weight.shape) ? transposed(weight) : weight; // [KH, KW, from, to]
  const out = gpu.empty(to);
  const items = to[0];
  const image = { ...imageSizes(x.shape, to), ...steps, kernelWidth };
  const cut = { items, per: { x: x.size / items, out: out.size / items } };
  for (const { tensors, count } of parts(gpu, { x, out }, cut)) {
    const pixels = tensors.out.size / toChannels;
    if (wide(weight.shape)) {
      const bindings = { a4: tensors.x, b4: matrix };
      launchTiles(tilesGather, bindings, tensors.out, [pixels, toChannels, weight.size / toChannels], image);
    } else {
      const sizes = { ...image, ...weightSteps, batch: count, toChannels, kernelHeight, splits: 1, chunk: 0 };
      gpu.dispatch(scalarGather, { ...tensors, weight }, sizes, tensors.out.size);
    }
  }
  return out;
}

function weightGradientOfPart(x: Tensor, grad: Tensor, shape: readonly number[], geometry: Geometry): Tensor {
  const { gpu } = x;
  const [kernelHeight, kernelWidth, inChannels, toChannels] = shape;
  const image = { ...imageSizes(x.shape, grad.shape), ...forwardSteps(geometry), kernelWidth };
  const rows = kernelHeight * kernelWidth * inChannels;
  if (wide(shape)) {
    const out = gpu.empty(shape);
    launchTiles(tilesWeightGradient, { a4: x, b4: grad }, out, [rows, toChannels, grad.rows], image);
    return out;
  }
  const splits = splitsFor(gpu.machine, Math.ceil((rows * toChannels) / TILE), grad.rows);
  const out = gpu.empty([splits, ...shape]);
  const cut = { splits, chunk: Math.ceil(grad.rows / splits) };
  const sizes = { ...image, ...cut, batch: x.shape[0], toChannels, kernelHeight, weightFrom: 0, weightTo: 0 };
  gpu.dispatch(scalarWeightGradient, { x, grad, out }, sizes, out.size);
  return splits === 1 ? out.view(shape) : columnSums(out, 1, out.size / splits).view(shape);
}

/** Grey and colour images get channels of zeros, up to a multiple of 4: kernels for four at a time gain more than that costs. */
const padded = ([, , channels, outChannels]: readonly number[]): number =>
  outChannels % 4 === 0 ? 4 * Math.ceil(channels / 4) : channels;

function padImage(x: Tensor, channels: number): Tensor {
  return channels === x.channels ? x : widen(x, x.rows, x.channels, channels).view([...x.shape.slice(0, 3), channels]);
}

function padWeight(weight: Tensor, channels: number): Tensor {
  const [height, width, inChannels, outChannels] = weight.shape;
  if (channels === inChannels) return weight;
  const wider = widen(weight, height * width, inChannels * outChannels, channels * outChannels);
  return wider.view([height, width, channels, outChannels]);
}

export const directConvolution: Convolution = {
  forward(x, weight, shape, geometry) {
    const channels = padded(weight.shape);
    return gather(padImage(x, channels), padWeight(weight, channels), shape, forwardSteps(geometry));
  },

  inputGradient(grad, weight, shape, geometry) {
    const channels = padded(weight.shape);
    const out = gather(grad, padWeight(weight, channels), [...shape.slice(0, 3), channels], backwardSteps(geometry));
    return channels === shape[3] ? out : narrow(out, out.rows, channels, shape[3]).view(shape);
  },

  weightGradient(x, grad, shape, geometry) {
    const [height, width, inChannels, outChannels] = shape;
    const channels = padded(shape);
    const image = padImage(x, channels);
    const wider = [height, width, channels, outChannels];
    let total: Tensor | null = null;
    if (bindable(x.gpu, image, grad)) total = weightGradientOfPart(image, grad, wider, geometry);
    else {
      const items = x.shape[0];
      const cut = { items, per: { x: image.size / items, y: grad.size / items } };
      for (const { tensors, count } of parts(x.gpu, { x: image, y: grad }, cut)) {
        const [from, to] = [
          tensors.x.view([count, ...image.shape.slice(1)]),
          tensors.y.view([count, ...grad.shape.slice(1)]),
        ];
        total = accumulate(total, weightGradientOfPart(from, to, wider, geometry));
      }
    }
    const out = total as Tensor;
    return channels === inChannels
      ? out
      : narrow(out, height * width, channels * outChannels, inChannels * outChannels).view(shape);
  },
};

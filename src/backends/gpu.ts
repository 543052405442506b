/**
 * The kernels for GPUs. Matrix products, and convolutions as matrix products, in tiles of 64 x 64 that are staged in
 * workgroup memory (tiles.wgsl); shapes that these cannot take run on the reference kernels.
 */
import { narrow, widen } from '../autograd/concat.ts';
import { sumOfWindows } from '../autograd/elementary.ts';
import knnSource from '../shaders/knn.wgsl';
import searchSource from '../shaders/search.wgsl';
import tilesSource from '../shaders/tiles.wgsl';
import { type Kernel, kernel, program } from '../tensor/kernel.ts';
import { launch, windows } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Backend, type Convolution, type Product, productWork, type Scan } from './backend.ts';
import {
  backwardSteps,
  forwardSteps,
  imageSizes,
  multiplyScalar,
  nearestWork,
  type Steps,
  scalarConvolution,
} from './reference.ts';
import { inSplits } from './splits.ts';
import { transposed } from './transpose.ts';

const BUSY = 512; // tiles that keep all cores busy
const TILE = 64; // rows and columns of a tile
const MANY_QUERIES = 32768; // keep a GPU busy with one invocation each
const tiles = program('tiles', tilesSource);
const productKernel = kernel(tiles, 'product', { READS: 0 });
const convolveKernel = kernel(tiles, 'product', { READS: 1 });
const weightGradientKernel = kernel(tiles, 'product', { READS: 2 });
const knnProgram = program('knn', knnSource);
const knnKernels = { 1: kernel(knnProgram, 'knn', { LANES: 1 }), 8: kernel(knnProgram, 'knn', { LANES: 8 }) };
const scanKernel = kernel(program('search', searchSource), 'scan');

type Operands = Pick<Product, 'batches' | 'rows' | 'columns' | 'inner'> & { transposeA?: number; transposeB?: number };
type Image = Steps & ReturnType<typeof imageSizes> & { kernelWidth: number };

const NOTHING = { fromHeight: 0, fromWidth: 0, fromChannels: 0, toHeight: 0, toWidth: 0, kernelWidth: 0 };
/** The fields of tiles.wgsl that a plain product does not read. */
const NO_IMAGE: Image = { ...NOTHING, ...forwardSteps({ stride: [0, 0], padding: [0, 0] }) };

/** Launches tiles; the inner sum is split so that enough of them run. */
function launchTiles(
  launched: Kernel,
  bindings: { a4: Tensor; b4: Tensor },
  out: Tensor,
  product: Operands,
  more: { aBatch?: number; bBatch?: number } & Partial<Image>,
): void {
  const { batches, rows, columns } = product;
  const count = batches * Math.ceil(rows / TILE) * Math.ceil(columns / TILE);
  const sizes = { ...NO_IMAGE, aBatch: 0, bBatch: 0, transposeA: 0, transposeB: 0, ...product, ...more };
  inSplits(out, product, BUSY, count, (out4, cut) => {
    const options = { invocations: TILE * count * cut.splits, work: productWork(product) };
    launch(launched, { ...bindings, out4 }, { ...sizes, ...cut }, options);
  });
}

function multiply(a: Tensor, b: Tensor, out: Tensor, product: Product): void {
  const { rows, columns, inner, transposeA, transposeB } = product;
  if (columns % 4 !== 0 || (transposeA ? rows : inner) % 4 !== 0) {
    multiplyScalar(a, b, out, product);
    return;
  }
  // Rows of b^T whose length is not a multiple of 4 cannot be read as vec4: transpose b first.
  const copies = transposeB && inner % 4 !== 0;
  const b4 = copies ? transposed(b, product.bBatch ? product.batches : 1, columns, inner) : b;
  const flags = { transposeA: Number(transposeA), transposeB: Number(transposeB && !copies) };
  launchTiles(productKernel, { a4: a, b4 }, out, { ...product, ...flags }, {});
  if (copies) b4.dispose();
}

/** Convolves x with weight [KH, KW, from, to] into an image of shape `to`. */
function convolve(x: Tensor, weight: Tensor, to: readonly number[], steps: Steps): Tensor {
  const out = x.gpu.empty(to);
  const [items, , , columns] = to;
  const image = { ...imageSizes(x.shape, to), ...steps, kernelWidth: weight.shape[1] };
  const cut = { items, per: { x: x.size / items, out: out.size / items } };
  for (const { tensors } of windows(x.gpu, { x, out }, cut)) {
    const product = { batches: 1, rows: tensors.out.size / columns, columns, inner: weight.size / columns };
    launchTiles(convolveKernel, { a4: tensors.x, b4: weight }, tensors.out, product, image);
  }
  return out;
}

/** Channels padded to a multiple of 4, for grey and colour images: vec4 loads save more than the padding costs. */
const padded = (channels: number): number => 4 * Math.ceil(channels / 4);

function padImage(x: Tensor): Tensor {
  const channels = padded(x.channels);
  return channels === x.channels ? x : widen(x, x.rows, x.channels, channels).view([...x.shape.slice(0, 3), channels]);
}

function padWeight(weight: Tensor): Tensor {
  const [height, width, channels, columns] = weight.shape;
  const wide = padded(channels);
  if (wide === channels) return weight;
  return widen(weight, height * width, channels * columns, wide * columns).view([height, width, wide, columns]);
}

/** Convolutions whose output channels are a multiple of 4. */
const tiledConvolution: Convolution = {
  forward(x, weight, shape, geometry) {
    return convolve(padImage(x), padWeight(weight), shape, forwardSteps(geometry));
  },
  inputGradient(grad, weight, shape, geometry) {
    const [height, width, , outChannels] = weight.shape;
    const channels = padded(shape[3]);
    const swapped = transposed(padWeight(weight), height * width, channels, outChannels);
    const backward = swapped.view([height, width, outChannels, channels]);
    const out = convolve(grad, backward, [...shape.slice(0, 3), channels], backwardSteps(geometry));
    return channels === shape[3] ? out : narrow(out, out.rows, channels, shape[3]).view(shape);
  },
  weightGradient(x, grad, shape, geometry) {
    const [height, width, inChannels, columns] = shape;
    const image = padImage(x);
    const product = { batches: 1, rows: height * width * image.channels, columns };
    const cut = { items: x.shape[0], per: { x: image.size / x.shape[0], grad: grad.size / x.shape[0] } };
    const out = sumOfWindows(x.gpu, { x: image, grad }, cut, ({ tensors }) => {
      const sizes = { ...imageSizes(image.shape, grad.shape), ...forwardSteps(geometry), kernelWidth: width };
      const total = x.gpu.empty([product.rows, columns]);
      const inner = tensors.grad.size / columns;
      launchTiles(weightGradientKernel, { a4: tensors.x, b4: tensors.grad }, total, { ...product, inner }, sizes);
      return total;
    });
    if (image === x) return out.view(shape);
    return narrow(out, height * width, image.channels * columns, inChannels * columns).view(shape);
  },
};

function nearest(x: Tensor, neighbours: Tensor): void {
  const [batch, points, channels] = x.shape;
  const wide = padded(channels); // distances stay what they are
  const x4 = wide === channels ? x : widen(x, x.rows, channels, wide);
  const sizes = { batch, points, channels: wide, k: neighbours.channels };
  const lanes = x.rows < MANY_QUERIES ? 8 : 1; // of a query
  const options = { along: 'batch', invocations: lanes * x.rows, work: nearestWork(sizes) };
  launch(knnKernels[lanes], { x4, neighbours }, sizes, options);
  if (x4 !== x) x4.dispose();
}

/** Slices keep all cores busy, and no more than that: every slice fills lists of its own. */
function scan(queries: number): Scan {
  const queryTiles = Math.ceil(queries / 16);
  const slices = 8 * Math.ceil(BUSY / queryTiles);
  return { kernel: scanKernel, unit: 64, slices, invocations: (count) => 64 * count * queryTiles };
}

export const gpu: Backend = {
  name: 'gpu',
  isWide: true,
  rowLanes: 64,
  longestSum: 128,
  multiply,
  convolution: (_, weight) => (weight[3] % 4 === 0 ? tiledConvolution : scalarConvolution(BUSY)),
  nearest,
  scan,
};

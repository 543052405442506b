/**
 * The kernels for software adapters (WebGPU on the CPU: lavapipe, SwiftShader). Loads are expensive there and workgroup
 * memory saves none, so convolutions become matrix products with fewer multiplications: Winograd's for 3x3 kernels,
 * else columns.
 */
import { widen } from '../../autograd/concat.ts';
import { type Kernel, kernel, program } from '../../tensor/kernel.ts';
import { launch } from '../../tensor/launch.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Backend, Convolution, Geometry, Scan } from '../backend.ts';
import { gpu } from '../gpu.ts';
import { nearestWork, scalarConvolution } from '../reference.ts';
import { columnsConvolution } from './conv2d_columns.ts';
import { fitsWinograd, winogradConvolution } from './conv2d_winograd.ts';
import knnSource from './knn_subgroups.wgsl';
import { BUSY, multiplyByRegisters, multiplyBySubgroups } from './matmul.ts';
import searchSource from './search_subgroups.wgsl';

const knnProgram = program('knn_subgroups', knnSource);
const searchProgram = program('search_subgroups', searchSource);
const scanKernel = kernel(searchProgram, 'scan', {}, 8);
const scanEightKernel = kernel(searchProgram, 'scanEight', {}, 8);
const scanOneKernel = kernel(searchProgram, 'scanOne', {}, 8);

function convolution(x: Tensor, weight: readonly number[], geometry: Geometry): Convolution {
  if (weight[3] % 4 !== 0) return scalarConvolution(BUSY);
  return x.channels % 4 === 0 && fitsWinograd(x, weight, geometry) ? winogradConvolution : columnsConvolution;
}

const LONGEST_LIST = 64; // neighbours
/** One pipeline per length of the list, in steps of 4. */
const knnKernels = new Map<number, Kernel>();
function knnKernel(k: number): Kernel {
  const chunks = Math.ceil(k / 4);
  const found = knnKernels.get(chunks) ?? kernel(knnProgram, 'knn', { CHUNKS: chunks }, 8);
  knnKernels.set(chunks, found);
  return found;
}

function nearestBySubgroups(x: Tensor, neighbours: Tensor): void {
  const [batch, points, channels] = x.shape;
  const k = neighbours.channels;
  if (k > LONGEST_LIST) {
    gpu.nearest(x, neighbours);
    return;
  }
  // Channels padded with zeros to a multiple of 4: distances stay what they are.
  const wide = 4 * Math.ceil(channels / 4);
  const x4 = wide === channels ? x : widen(x, x.rows, channels, wide);
  const invocations = 8 * batch * Math.ceil(points / 16);
  const sizes = { batch, points, channels: wide, k };
  launch(knnKernel(k), { x4, neighbours }, sizes, { along: 'batch', invocations, work: nearestWork(sizes) });
  if (x4 !== x) x4.dispose();
}

/** Slices keep all cores busy, and no more than that: every slice fills lists of its own. */
function scanBySubgroups(queries: number): Scan {
  if (queries > 16) {
    const tiles = Math.ceil(queries / 32);
    const invocations = (slices: number) => 8 * slices * tiles;
    return { kernel: scanKernel, unit: 64, slices: Math.ceil(BUSY / tiles), invocations };
  }
  const one = queries <= 2;
  const tiles = one ? queries : Math.ceil(queries / 8);
  const invocations = (slices: number) => 8 * Math.ceil(slices / 8) * tiles; // a slice per lane
  return { kernel: one ? scanOneKernel : scanEightKernel, unit: 4, slices: 8 * Math.ceil(BUSY / tiles), invocations };
}

/** Without subgroups: SwiftShader. */
const plain: Backend = {
  ...gpu,
  name: 'software-plain',
  rowLanes: 1,
  multiply: multiplyByRegisters,
  convolution,
  scan: (queries) => ({ ...gpu.scan(queries), slices: 8 * Math.ceil(BUSY / Math.ceil(queries / 16)) }),
};

/** With subgroups of 8 lanes: lavapipe on a CPU with AVX2. */
const bySubgroups: Backend = {
  ...plain,
  name: 'software',
  multiply: multiplyBySubgroups,
  nearest: nearestBySubgroups,
  scan: scanBySubgroups,
};

export const softwareBackend = (hasSubgroups: boolean): Backend => (hasSubgroups ? bySubgroups : plain);

/**
 * k nearest neighbours by Euclidean distance inside each cloud: x [B, N, C] -> i32 [B, N, k], the point itself included,
 * nearest first, of equal distances the lower index first. Cost: 3 B N^2 C operations; no N x N matrix is held.
 * No gradient: the graph is piecewise constant in x.
 */

import subgroupSource from '../backends/software/knn_subgroups.wgsl';
import source from '../shaders/knn.wgsl';
import { RomoError } from '../tensor/error.ts';
import { type Kernel, kernel, program } from '../tensor/kernel.ts';
import { parts } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { widen } from './concat.ts';

const knnProgram = program('knn', source);
const knnKernel = kernel(knnProgram, 'knn');
const knnScalarKernel = kernel(knnProgram, 'knnScalar');

const subgroupProgram = program('knn_subgroups', subgroupSource);
const LONGEST_LIST = 64;

/** One pipeline per length of the list, in steps of 4. */
const subgroupKernels = new Map<number, Kernel>();
function subgroupKernel(k: number): Kernel {
  const chunks = Math.ceil(k / 4);
  let found = subgroupKernels.get(chunks);
  if (!found) {
    found = kernel(subgroupProgram, 'knn', { CHUNKS: chunks }, 8);
    subgroupKernels.set(chunks, found);
  }
  return found;
}

/** Channels filled up with zeros to a multiple of 4: distances stay what they are. */
function padChannels(x: Tensor): Tensor {
  if (x.channels % 4 === 0) return x;
  return widen(x, x.rows, x.channels, 4 * Math.ceil(x.channels / 4));
}

/** Throws `shape` unless 1 <= k <= N. */
export function knn(x: Tensor, k: number): Tensor {
  const [batch, points, channels] = x.shape;
  if (x.shape.length !== 3 || !Number.isInteger(k) || k < 1 || k > points) {
    throw new RomoError(
      'shape',
      `knn: x is [${x.shape}], k is ${k}`,
      'x is [batch, points, channels]; k is from 1 to points.',
    );
  }
  const { gpu } = x;
  const neighbours = gpu.empty([batch, points, k], 'i32');
  const shared = gpu.machine.knn === 'broadcast' && k <= LONGEST_LIST;
  const rows = shared ? padChannels(x) : x;
  const sizes = { points, channels: rows.channels, k };
  const cut = { items: batch, per: { x: points * rows.channels, neighbours: points * k } };
  for (const { tensors, count } of parts(gpu, { x: rows, neighbours }, cut)) {
    const part = { ...sizes, batch: count };
    const wide = { x4: tensors.x, neighbours: tensors.neighbours };
    if (shared) gpu.dispatch(subgroupKernel(k), wide, part, 8 * count * Math.ceil(points / 16));
    else if (channels % 4 === 0 && points % 4 === 0) gpu.dispatch(knnKernel, wide, part, count * points);
    else gpu.dispatch(knnScalarKernel, tensors, part, count * points);
  }
  if (rows !== x) rows.dispose();
  return neighbours;
}

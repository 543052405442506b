/**
 * k nearest neighbours by Euclidean distance inside each cloud: x [B, N, C] -> i32 [B, N, k], the point itself included,
 * nearest first, of equal distances the lower index first. Cost: 3 B N^2 C operations; no N x N matrix is held.
 * No gradient: the graph is piecewise constant in x.
 */
import source from '../shaders/knn.wgsl';
import { RomoError } from '../tensor/error.ts';
import { kernel, program } from '../tensor/kernel.ts';
import type { Tensor } from '../tensor/tensor.ts';

const knnProgram = program('knn', source);
const knnKernel = kernel(knnProgram, 'knn');
const knnScalarKernel = kernel(knnProgram, 'knnScalar');

/** Throws `shape` unless 1 <= k <= N. */
export function knn(x: Tensor, k: number): Tensor {
  const [batch, points, channels] = x.shape;
  if (x.shape.length !== 3 || !Number.isInteger(k) || k < 1 || k > points) {
    throw new RomoError('shape', `knn: x is [${x.shape}], k is ${k}`, 'x is [batch, points, channels]; k is from 1 to points.');
  }
  const neighbours = x.gpu.empty([batch, points, k], 'i32');
  const sizes = { batch, points, channels, k };
  if (channels % 4 === 0 && points % 4 === 0) x.gpu.dispatch(knnKernel, { x4: x, neighbours }, sizes, batch * points);
  else x.gpu.dispatch(knnScalarKernel, { x, neighbours }, sizes, batch * points);
  return neighbours;
}

/**
 * k nearest neighbours inside each cloud. Kernels: the backend's `nearest`; the reference kernel is in shaders/knn.wgsl. No N x N
 * matrix is held. No gradient: the graph is piecewise constant in x. Float64 reference: test/reference/knn.ts.
 */
import { shapeError } from '../tensor/error.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * x [B, N, C] -> i32 [B, N, k]: the k points of the cloud with the smallest Euclidean distance, the point itself included,
 * nearest first, of equal distances the lower index first. Cost: 3 B N^2 C operations. Throws `shape` unless 1 <= k <= N.
 */
export function knn(x: Tensor, k: number): Tensor {
  const [batch, points] = x.shape;
  if (x.shape.length !== 3 || !Number.isInteger(k) || k < 1 || k > points) {
    const rule = 'x is [batch, points, channels]; k is from 1 to points.';
    throw shapeError('knn', `x or k = ${k} does not fit`, { x }, rule);
  }
  const neighbours = x.gpu.empty([batch, points, k], 'i32');
  x.gpu.backend.nearest(x, neighbours);
  return neighbours;
}

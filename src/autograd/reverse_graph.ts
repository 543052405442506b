/**
 * The neighbour graph reversed, for gradients that flow from a point to those that named it. Integers only; the lists
 * are in ascending order, so that sums along them have the same bits every time. Kernels: shaders/reverse_graph.wgsl.
 */
import source from '../shaders/reverse_graph.wgsl';
import { kernel, program } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';

const graphProgram = program('reverse_graph', source);
const countKernel = kernel(graphProgram, 'count');
const scanKernel = kernel(graphProgram, 'scan');
const placeKernel = kernel(graphProgram, 'place');
const sortKernel = kernel(graphProgram, 'sort');

export interface ReverseGraph extends Record<string, Tensor> {
  /** u32 [B N + 1]: where each point's list begins in `sources`, and the end of the last */
  starts: Tensor;
  /** u32 [B N k]: the points that name it, as b N + i, ascending */
  sources: Tensor;
}

/** neighbours i32 [B, N, k], each within its cloud. Cost: O(B N k), plus the sorting of lists of about k entries. */
export function reverseGraph(neighbours: Tensor): ReverseGraph {
  const { gpu, size: edges } = neighbours;
  const [batch, points, k] = neighbours.shape;
  const sizes = { batch, points, k };
  const counts = gpu.zeros([batch * points], 'u32');
  const starts = gpu.empty([batch * points + 1], 'u32');
  const sources = gpu.empty([edges], 'u32');
  launch(countKernel, { neighbours, counts }, sizes, { invocations: edges });
  launch(scanKernel, { counts, startsOut: starts }, sizes, { invocations: batch });
  launch(placeKernel, { neighbours, counts, startsIn: starts, sources }, sizes, { invocations: edges });
  launch(sortKernel, { startsIn: starts, sources }, sizes, { invocations: batch * points });
  return { starts, sources };
}

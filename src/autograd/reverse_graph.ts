/**
 * The neighbour graph turned round, for gradients that flow from a point to those that named it. Integers only; the lists are
 * in ascending order, so that whoever adds along them gets the same bits every time.
 */
import source from '../shaders/reverse_graph.wgsl';
import { kernel, program } from '../tensor/kernel.ts';
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
  const { gpu } = neighbours;
  const [batch, points, k] = neighbours.shape;
  const sizes = { batch, points, k };
  const counts = gpu.zeros([batch * points], 'u32');
  const starts = gpu.empty([batch * points + 1], 'u32');
  const sources = gpu.empty([neighbours.size], 'u32');
  gpu.dispatch(countKernel, { neighbours, counts }, sizes, neighbours.size);
  gpu.dispatch(scanKernel, { counts, starts }, sizes, batch);
  gpu.dispatch(placeKernel, { neighbours, counts, starts_: starts, sources }, sizes, neighbours.size);
  gpu.dispatch(sortKernel, { starts_: starts, sources }, sizes, batch * points);
  return { starts, sources };
}

/** Rows by index: x [R, C], index i32 [n] -> y [n, C], y[i] = x[index[i]]. Backward adds up the rows that share an index. */
import source from '../shaders/gather.wgsl';
import { RomoError } from '../tensor/error.ts';
import { kernelPair, program } from '../tensor/kernel.ts';
import { parts } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { accumulate, dispatchPair } from './elementary.ts';
import { differentiable, noGradient } from './tape.ts';

export const gatherProgram = program('gather', source);
const gatherKernel = kernelPair(gatherProgram, 'gather');
const scatterKernel = kernelPair(gatherProgram, 'scatterAdd');

const op = differentiable<{ x: Tensor; index: Tensor }, undefined, Record<string, never>>({
  name: 'gather',
  forward({ x, index }) {
    if (x.shape.length !== 2 || index.dtype !== 'i32') {
      throw new RomoError(
        'shape',
        `gather: x is [${x.shape}], index [${index.shape}] of ${index.dtype}`,
        'x is [R, C], index i32.',
      );
    }
    const output = x.gpu.empty([index.size, x.channels]);
    const sizes = { width: x.channels, stride: 0, offset: 0, sources: x.rows };
    const cut = { items: index.size, per: { indices: 1, out: x.channels } };
    for (const { tensors, count } of parts(x.gpu, { x, indices: index, out: output }, cut)) {
      dispatchPair(x.gpu, gatherKernel, tensors, { ...sizes, rows: count }, tensors.out.size, ['width']);
    }
    return { output, saved: {} };
  },
  backward(grad, { inputs: { x, index } }) {
    return {
      x: () => scatterAdd(grad, index, x.rows),
      index: noGradient('an index is a whole number'),
    };
  },
});

/** Rows of x [R, C] by number, index i32 [n] -> [n, C]. */
export const gather = (x: Tensor, index: Tensor): Tensor => op({ x, index }, undefined);

/** The sums of the rows of x [n, C] that share an index: -> [sources, C]; rows are added in their order. */
export function scatterAdd(x: Tensor, index: Tensor, sources: number): Tensor {
  const sizes = { width: x.channels, stride: 0, offset: 0, sources };
  let total: Tensor | null = null;
  for (const { tensors, count } of parts(
    x.gpu,
    { x, indices: index },
    { items: index.size, per: { x: x.channels, indices: 1 } },
  )) {
    const out = x.gpu.empty([sources, x.channels]);
    dispatchPair(x.gpu, scatterKernel, { ...tensors, out }, { ...sizes, rows: count }, out.size, ['width']);
    total = accumulate(total, out);
  }
  return total as Tensor;
}

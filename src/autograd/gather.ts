/** Rows by index. Kernels: shaders/gather.wgsl. */
import source from '../shaders/gather.wgsl';
import { shapeError } from '../tensor/error.ts';
import { kernelPair, program } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { sumOfWindows } from './elementary.ts';
import { differentiable, noGradient } from './tape.ts';

const gatherProgram = program('gather', source);
const gatherKernel = kernelPair(gatherProgram, 'gather');
const scatterKernel = kernelPair(gatherProgram, 'scatterAdd');

const op = differentiable({
  name: 'gather',
  forward({ x, index }: { x: Tensor; index: Tensor }) {
    if (x.shape.length !== 2 || index.dtype !== 'i32') {
      throw shapeError('gather', `x or index (${index.dtype}) does not fit`, { x, index }, 'x is [R, C], index i32.');
    }
    const out = x.gpu.empty([index.size, x.channels]);
    const sizes = { rows: index.size, width: x.channels, sources: x.rows };
    launch(gatherKernel, { x, index, out }, sizes, { along: 'rows', whole: ['x'] });
    return { output: out };
  },
  backward(grad, { inputs: { x, index } }) {
    return {
      x: () => scatterAdd(grad, index, x.rows),
      index: noGradient('an index is a whole number'),
    };
  },
});

/** x [R, C], index i32 [n] -> y [n, C], y[i] = x[index[i]]. The gradient adds up the rows that share an index. */
export const gather = (x: Tensor, index: Tensor): Tensor => op({ x, index });

/**
 * The sums of the rows of x [n, C] that share an index: -> [sources, C]; rows are added in their order.
 * Cost: n comparisons for each of `sources` rows.
 */
export function scatterAdd(x: Tensor, index: Tensor, sources: number): Tensor {
  const cut = { items: index.size, per: { x: x.channels, index: 1 } };
  return sumOfWindows(x.gpu, { x, index }, cut, ({ tensors, count }) => {
    const out = x.gpu.empty([sources, x.channels]);
    const sizes = { rows: count, width: x.channels, sources };
    launch(scatterKernel, { ...tensors, out }, sizes, { work: 4 * tensors.x.size * sources });
    return out;
  });
}

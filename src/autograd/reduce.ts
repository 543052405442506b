/**
 * Pooling over all points or pixels, sum and mean. Kernels: shaders/reduce.wgsl. Float64 reference:
 * test/reference/pooling.ts.
 */
import { shapeError } from '../tensor/error.ts';
import { kernelPair } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { columnSums, reduce } from './elementary.ts';
import { differentiable } from './tape.ts';

const maximaKernel = kernelPair(reduce, 'maxima');
const maximaGradientKernel = kernelPair(reduce, 'maximaGradient');
const spreadKernel = kernelPair(reduce, 'spread');

/** x as [batches, rows, channels]. */
function sizesOf(x: Tensor, name: string) {
  if (x.shape.length < 3) {
    throw shapeError(name, 'nothing to pool over', { x }, 'x is [batch, ..., channels] with something to pool over.');
  }
  const [batches, channels] = [x.shape[0], x.channels];
  const rows = x.size / (batches * channels);
  return { batches, rows, channels, chunk: rows, chunks: 1, scale: 1 };
}

const maxOp = differentiable({
  name: 'globalMaxPool',
  forward({ x }: { x: Tensor }) {
    const sizes = sizesOf(x, 'globalMaxPool');
    const out = x.gpu.empty([sizes.batches, sizes.channels]);
    const winners = x.gpu.empty(out.shape, 'u32');
    launch(maximaKernel, { x, out, winnersOut: winners }, sizes, { along: 'batches' });
    return { output: out, saved: { winners } };
  },
  backward(grad, { inputs: { x }, saved: { winners } }) {
    return {
      x: () => {
        const out = x.gpu.empty(x.shape);
        const sizes = sizesOf(x, 'globalMaxPool');
        launch(maximaGradientKernel, { winnersIn: winners, grad, out }, sizes, { along: 'batches' });
        return out;
      },
    };
  },
});

/** The gradient of a scaled column sum: every row receives it. */
function spread(grad: Tensor, x: Tensor, batches: number, channels: number, scale: number): Tensor {
  const out = x.gpu.empty(x.shape);
  const rows = x.size / (batches * channels);
  const sizes = { batches, rows, channels, chunk: rows, chunks: 1, scale };
  // Cut between batches or, if there is but one, between its rows.
  const cut = batches > 1 ? { along: 'batches' } : { along: 'rows', whole: ['grad'] };
  launch(spreadKernel, { grad, out }, sizes, cut);
  return out;
}

const meanOp = differentiable({
  name: 'globalMeanPool',
  forward({ x }: { x: Tensor }) {
    const { batches, rows, channels } = sizesOf(x, 'globalMeanPool');
    return { output: columnSums(x, batches, channels, 1 / rows) };
  },
  backward(grad, { inputs: { x } }) {
    const { batches, rows, channels } = sizesOf(x, 'globalMeanPool');
    return { x: () => spread(grad, x, batches, channels, 1 / rows) };
  },
});

const totalOp = differentiable({
  name: 'sum',
  forward({ x }: { x: Tensor }, factor: number) {
    return { output: columnSums(x, 1, 1, factor).view([1]) };
  },
  backward(grad, { inputs: { x }, options: factor }) {
    return { x: () => spread(grad, x, 1, 1, factor) };
  },
});

/** The largest over all but the first and last axes: [B, .., C] -> [B, C]; the gradient goes to the first of equals. */
export const globalMaxPool = (x: Tensor): Tensor => maxOp({ x });
/**
 * The mean over all but the first and last axes: [B, .., C] -> [B, C]; the gradient is 1/n of dy for each of n rows.
 */
export const globalMeanPool = (x: Tensor): Tensor => meanOp({ x });
/** The sum of all elements, shape [1]. */
export const sum = (x: Tensor): Tensor => totalOp({ x }, 1);
/** The mean of all elements, shape [1]. */
export const mean = (x: Tensor): Tensor => totalOp({ x }, 1 / x.size);

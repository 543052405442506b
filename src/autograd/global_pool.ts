/**
 * Pooling over all points or pixels: x [B, ..., C] -> [B, C]. The maximum sends its gradient to the winner (the first of
 * equals), the mean 1/n of it to everyone. Also the sum and mean of all elements.
 */
import { RomoError } from '../tensor/error.ts';
import { kernelPair } from '../tensor/kernel.ts';
import { type Cut, parts } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { columnSums, dispatchPair, reduce } from './elementary.ts';
import { differentiable } from './tape.ts';

const maximaKernel = kernelPair(reduce, 'maxima');
const maximaGradientKernel = kernelPair(reduce, 'maximaGradient');
const spreadKernel = kernelPair(reduce, 'spread');

function sizesOf(x: Tensor, name: string) {
  if (x.shape.length < 3) {
    throw new RomoError(
      'shape',
      `${name}: x is [${x.shape}]`,
      'x is [batch, ..., channels] with something to pool over.',
    );
  }
  const [batches, channels] = [x.shape[0], x.channels];
  const rows = x.size / (batches * channels);
  return { batches, rows, channels, chunk: rows, chunks: 1, scale: 1 };
}

const maxOp = differentiable<{ x: Tensor }, undefined, { winners: Tensor }>({
  name: 'globalMaxPool',
  forward({ x }) {
    const sizes = sizesOf(x, 'globalMaxPool');
    const output = x.gpu.empty([sizes.batches, sizes.channels]);
    const winners = x.gpu.empty(output.shape, 'u32');
    const { batches: items, rows, channels } = sizes;
    const per = { x: rows * channels, out: channels, indices: channels };
    for (const { tensors, count } of parts(x.gpu, { x, out: output, indices: winners }, { items, per })) {
      dispatchPair(x.gpu, maximaKernel, tensors, { ...sizes, batches: count }, tensors.out.size);
    }
    return { output, saved: { winners } };
  },
  backward(grad, { inputs: { x }, saved: { winners } }) {
    return {
      x: () => {
        const out = x.gpu.empty(x.shape);
        const sizes = sizesOf(x, 'globalMaxPool');
        const { batches: items, rows, channels } = sizes;
        const per = { winners: channels, grad: channels, out: rows * channels };
        for (const { tensors, count } of parts(x.gpu, { winners, grad, out }, { items, per })) {
          dispatchPair(x.gpu, maximaGradientKernel, tensors, { ...sizes, batches: count }, tensors.out.size);
        }
        return out;
      },
    };
  },
});

/** The gradient of a scaled column sum: every row receives it. */
function spread(grad: Tensor, x: Tensor, batches: number, channels: number, scale: number): Tensor {
  const out = x.gpu.empty(x.shape);
  const rows = x.size / (batches * channels);
  // Cut between batches or, if there is but one, between its rows.
  const cut: Cut =
    batches > 1
      ? { items: batches, per: { grad: channels, out: rows * channels } }
      : { items: rows, per: { out: channels } };
  for (const { tensors, count } of parts(x.gpu, { grad, out }, cut)) {
    const part = batches > 1 ? { batches: count, rows } : { batches, rows: count };
    dispatchPair(
      x.gpu,
      spreadKernel,
      tensors,
      { ...part, channels, chunk: part.rows, chunks: 1, scale },
      tensors.out.size,
    );
  }
  return out;
}

const meanOp = differentiable<{ x: Tensor }, undefined, Record<string, never>>({
  name: 'globalMeanPool',
  forward({ x }) {
    const { batches, rows, channels } = sizesOf(x, 'globalMeanPool');
    return { output: columnSums(x, batches, channels, 1 / rows), saved: {} };
  },
  backward(grad, { inputs: { x } }) {
    const { batches, rows, channels } = sizesOf(x, 'globalMeanPool');
    return { x: () => spread(grad, x, batches, channels, 1 / rows) };
  },
});

const totalOp = differentiable<{ x: Tensor }, number, Record<string, never>>({
  name: 'sum',
  forward({ x }, factor) {
    return { output: columnSums(x, 1, 1, factor).view([1]), saved: {} };
  },
  backward(grad, { inputs: { x }, options: factor }) {
    return { x: () => spread(grad, x, 1, 1, factor) };
  },
});

/** The largest over all but the first and last axes: [B, .., C] -> [B, C]; of equals the first gets the gradient. */
export const globalMaxPool = (x: Tensor): Tensor => maxOp({ x }, undefined);
/** The mean over all but the first and last axes: [B, .., C] -> [B, C]. */
export const globalMeanPool = (x: Tensor): Tensor => meanOp({ x }, undefined);
/** The sum of all elements, shape [1]. */
export const sum = (x: Tensor): Tensor => totalOp({ x }, 1);
/** The mean of all elements, shape [1]. */
export const mean = (x: Tensor): Tensor => totalOp({ x }, 1 / x.size);

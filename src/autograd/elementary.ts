/** Kernels that other ops and the tape build on and that record no gradient themselves. */
import pointwiseSource from '../shaders/pointwise.wgsl';
import reduceSource from '../shaders/reduce.wgsl';
import type { Gpu } from '../tensor/device.ts';
import { type Kernel, kernelPair, program } from '../tensor/kernel.ts';
import { bindable, type Cut, launch, type Window, windows } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';

export const pointwise = program('pointwise', pointwiseSource);
export const reduce = program('reduce', reduceSource);

const fillKernel = kernelPair(pointwise, 'fill');
const sumsKernel = kernelPair(reduce, 'sums');

/** Codes of the two-argument functions of pointwise.wgsl. */
export const BINARY = { add: 0, sub: 1, mul: 2, div: 3 } as const;
export type BinaryName = keyof typeof BINARY;

const binaryKernels = Object.fromEntries(
  Object.entries(BINARY).map(([name, code]) => [name, kernelPair(pointwise, 'binary', { OP: code })]),
) as Record<BinaryName, Kernel>;

/** A tensor of one value. */
export function fill(gpu: Gpu, shape: readonly number[], value: number): Tensor {
  const out = gpu.empty(shape);
  launch(fillKernel, { out }, { count: out.size, period: 1, value }, { along: 'count' });
  return out;
}

/** x op y, elementwise; y repeats along x (its size divides x's). Shapes are the caller's matter. */
export function binaryTensors(name: BinaryName, x: Tensor, y: Tensor): Tensor {
  const out = x.gpu.empty(x.shape);
  const sizes = { count: x.size, period: y.size, value: 0 };
  const byElements = { along: 'count', sizesOf: (_: number, count: number) => ({ period: count }) };
  const byRepeats = {
    items: x.size / y.size,
    whole: ['y'],
    sizesOf: (_: number, count: number) => ({ count: count * y.size }),
  };
  launch(binaryKernels[name], { x, y, out }, sizes, y.size < x.size ? byRepeats : byElements);
  return out;
}

export const addTensors = (x: Tensor, y: Tensor): Tensor => binaryTensors('add', x, y);
export const mulTensors = (x: Tensor, y: Tensor): Tensor => binaryTensors('mul', x, y);

/** Adds up what `part` makes of each window of the tensors; see launch.ts. Temporary tensors of a window are freed with it. */
export function sumOfWindows<Names extends string>(
  gpu: Gpu,
  tensors: Record<Names, Tensor>,
  cut: Cut,
  part: (window: Window<Names>) => Tensor,
): Tensor {
  let total: Tensor | null = null;
  for (const window of windows(gpu, tensors, cut)) {
    using scope = gpu.scope();
    const ofWindow = part(window);
    const sum: Tensor = total ? addTensors(total, ofWindow) : ofWindow;
    total?.dispose();
    total = scope.escape(sum);
  }
  return total as Tensor;
}

/**
 * Sums down the rows: x [batches, rows, channels] -> [batches, channels], times `scale`. In passes over chunks of rows, always
 * in the same order.
 * @param into where the sums go; a new tensor when absent
 */
export function columnSums(x: Tensor, batches: number, channels: number, scale = 1, into?: Tensor): Tensor {
  let rows = x.size / (batches * channels);
  let current = x;
  for (;;) {
    const chunk = bindable(x.gpu, current) ? Math.min(rows, x.gpu.backend.longestSum) : 128;
    const chunks = Math.ceil(rows / chunk);
    const out = (chunks === 1 && into) || x.gpu.empty([batches * chunks, channels]);
    const sizes = { batches, rows, channels, chunk, chunks, scale: chunks === 1 ? scale : 1 };
    // Cut between batches or, if there is but one, between chunks of its rows.
    const ofChunks = (from: number, count: number) => ({ rows: Math.min(rows - from * chunk, count * chunk) });
    const byChunks = { along: 'chunks', per: { x: chunk * channels }, sizesOf: ofChunks };
    launch(sumsKernel, { x: current, out }, sizes, batches > 1 ? { along: 'batches' } : byChunks);
    if (current !== x) current.dispose();
    if (chunks === 1) return out;
    current = out;
    rows = chunks;
  }
}

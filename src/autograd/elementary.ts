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

/** The functions of two tensors, in the order of their codes in pointwise.wgsl. */
export const BINARY = ['add', 'sub', 'mul', 'div'] as const;
export type BinaryName = (typeof BINARY)[number];

const binaryKernels = Object.fromEntries(
  BINARY.map((name, OP) => [name, kernelPair(pointwise, 'binary', { OP })]),
) as Record<BinaryName, Kernel>;

/** A tensor of one value. */
export function fill(gpu: Gpu, shape: readonly number[], value: number): Tensor {
  const out = gpu.empty(shape);
  launch(fillKernel, { out }, { count: out.size, period: 1, value }, { along: 'count' });
  return out;
}

/** x op y, elementwise; y repeats along x (its size divides x's). The caller checks the shapes. */
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

/** The sum of `part(window)` over the windows of the tensors, see launch.ts; frees the temporary tensors of each. */
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
 * Sums down the rows: x [batches, rows, channels] -> [batches, channels], times `scale`. In passes over chunks of rows,
 * always in the same order.
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

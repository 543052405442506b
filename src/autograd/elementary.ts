/** Kernels that other ops and the tape build on and that record no gradient themselves. */
import pointwiseSource from '../shaders/pointwise.wgsl';
import reduceSource from '../shaders/reduce.wgsl';
import type { Gpu } from '../tensor/device.ts';
import { type Dispatch, type KernelPair, kernelPair, program } from '../tensor/kernel.ts';
import { parts } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';

export const pointwise = program('pointwise', pointwiseSource);
export const reduce = program('reduce', reduceSource);

const fillKernel = kernelPair(pointwise, 'fill');
const sumsKernel = kernelPair(reduce, 'sums');

/**
 * Launches the reading of a kernel that fits: four numbers per invocation where every size named in `counted` divides by 4,
 * else one. Sizes and invocations are given in single numbers.
 */
export function dispatchPair(
  gpu: Gpu,
  pair: KernelPair,
  bindings: Dispatch['bindings'],
  sizes: Dispatch['sizes'],
  invocations: number,
  counted: readonly string[] = ['channels'],
): void {
  if (counted.some((name) => sizes[name] % 4 !== 0)) {
    gpu.dispatch(pair.narrow, bindings, sizes, invocations);
    return;
  }
  const inValues = { ...sizes };
  for (const name of counted) inValues[name] /= 4;
  gpu.dispatch(pair.wide, bindings, inValues, invocations / 4);
}

/** Codes of the two-argument functions of pointwise.wgsl. */
export const BINARY = { add: 0, sub: 1, mul: 2, div: 3 } as const;
export type BinaryName = keyof typeof BINARY;

const binaryKernels = Object.fromEntries(
  Object.entries(BINARY).map(([name, code]) => [name, kernelPair(pointwise, 'binary', { OP: code })]),
) as Record<BinaryName, KernelPair>;

/** A tensor of one value. */
export function fill(gpu: Gpu, shape: readonly number[], value: number): Tensor {
  const out = gpu.empty(shape);
  for (const { tensors, count } of parts(gpu, { out }, { items: out.size, per: { out: 1 } })) {
    dispatchPair(gpu, fillKernel, tensors, { count, period: 1, value }, count, ['count']);
  }
  return out;
}

/** x op y, elementwise; y repeats along x (its size divides x's). Shapes are the caller's matter. */
export function binaryTensors(name: BinaryName, x: Tensor, y: Tensor): Tensor {
  const out = x.gpu.empty(x.shape);
  const repeats = y.size < x.size;
  const items = repeats ? x.size / y.size : x.size;
  const per: Record<string, number> = repeats ? { x: y.size, out: y.size } : { x: 1, y: 1, out: 1 };
  for (const { tensors, count: items_ } of parts(x.gpu, { x, y, out }, { items, per })) {
    const count = items_ * per.x;
    const sizes = { count, period: repeats ? y.size : count, value: 0 };
    dispatchPair(x.gpu, binaryKernels[name], tensors, sizes, count, ['count', 'period']);
  }
  return out;
}

export const addTensors = (x: Tensor, y: Tensor): Tensor => binaryTensors('add', x, y);
export const mulTensors = (x: Tensor, y: Tensor): Tensor => binaryTensors('mul', x, y);

/** total + part, or part alone at first; frees what went in. For sums over the parts of a tensor that cannot be bound whole. */
export function accumulate(total: Tensor | null, part: Tensor): Tensor {
  if (!total) return part;
  const sum = addTensors(total, part);
  total.dispose();
  part.dispose();
  return sum;
}

// Rows per invocation: long enough to be worth a launch, short enough that many invocations run.
const CHUNK = 128;

/**
 * Sums down the rows: x [batches, rows, channels] -> [batches, channels], times `scale`. In two or more passes of at most
 * `CHUNK` rows each, always in the same order.
 * @param into where the sums go; a new tensor when absent
 */
export function columnSums(x: Tensor, batches: number, channels: number, scale = 1, into?: Tensor): Tensor {
  let rows = x.size / (batches * channels);
  let current = x;
  for (;;) {
    const chunks = Math.ceil(rows / CHUNK);
    const out = (chunks === 1 && into) || x.gpu.empty([batches * chunks, channels]);
    const sizes = { batches, rows, channels, chunk: CHUNK, chunks, scale: chunks === 1 ? scale : 1 };
    // Cut between batches or, if there is but one, between chunks of its rows.
    const cut =
      batches > 1
        ? { items: batches, per: { x: rows * channels, out: chunks * channels } }
        : { items: chunks, per: { x: CHUNK * channels, out: channels } };
    for (const { tensors, from, count } of parts(x.gpu, { x: current, out }, cut)) {
      const part =
        batches > 1 ? { batches: count } : { chunks: count, rows: Math.min(rows - from * CHUNK, count * CHUNK) };
      dispatchPair(x.gpu, sumsKernel, tensors, { ...sizes, ...part }, tensors.out.size);
    }
    if (current !== x) current.dispose();
    if (chunks === 1) return out;
    current = out;
    rows = chunks;
  }
}

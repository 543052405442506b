/** Kernels that other ops and the tape build on and that record no gradient themselves. */
import pointwiseSource from '../shaders/pointwise.wgsl';
import reduceSource from '../shaders/reduce.wgsl';
import type { Gpu } from '../tensor/device.ts';
import { type Dispatch, type KernelPair, kernelPair, program } from '../tensor/kernel.ts';
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
  dispatchPair(gpu, fillKernel, { out }, { count: out.size, period: 1, value }, out.size, ['count']);
  return out;
}

/** x op y, elementwise; y repeats along x (its size divides x's). Shapes are the caller's matter. */
export function binaryTensors(name: BinaryName, x: Tensor, y: Tensor): Tensor {
  const out = x.gpu.empty(x.shape);
  const sizes = { count: x.size, period: y.size, value: 0 };
  dispatchPair(x.gpu, binaryKernels[name], { x, y, out }, sizes, x.size, ['count', 'period']);
  return out;
}

export const addTensors = (x: Tensor, y: Tensor): Tensor => binaryTensors('add', x, y);
export const mulTensors = (x: Tensor, y: Tensor): Tensor => binaryTensors('mul', x, y);

// Rows per invocation: long enough to be worth a launch, short enough that many invocations run.
const CHUNK = 128;

/**
 * Sums down the rows: x [batches, rows, channels] -> [batches, channels], times `scale`. In two or more passes of at most
 * `CHUNK` rows each, always in the same order.
 */
export function columnSums(x: Tensor, batches: number, channels: number, scale = 1): Tensor {
  let rows = x.size / (batches * channels);
  let current = x;
  for (;;) {
    const chunks = Math.ceil(rows / CHUNK);
    const out = x.gpu.empty([batches * chunks, channels]);
    const sizes = { batches, rows, channels, chunk: CHUNK, chunks, scale: chunks === 1 ? scale : 1 };
    dispatchPair(x.gpu, sumsKernel, { x: current, out }, sizes, out.size);
    if (current !== x) current.dispose();
    if (chunks === 1) return out;
    current = out;
    rows = chunks;
  }
}

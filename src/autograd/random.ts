/** Tensors of random numbers, drawn on the GPU by a counter-based generator. Constants: they carry no gradient. */
import source from '../shaders/random.wgsl';
import type { Gpu } from '../tensor/device.ts';
import { kernel, program } from '../tensor/kernel.ts';
import type { Tensor } from '../tensor/tensor.ts';

const randomProgram = program('random', source);
const uniformKernel = kernel(randomProgram, 'uniform_');
const normalKernel = kernel(randomProgram, 'normal');

/** Names a stream of numbers; see `streamKey` in tensor/random.ts. */
export type Key = readonly [number, number];

/** Uniform in [low, high); the numbers of `new Random(...)` with the same key, in order. */
export function randomUniform(gpu: Gpu, shape: readonly number[], [key0, key1]: Key, low = 0, high = 1): Tensor {
  const out = gpu.empty(shape);
  gpu.dispatch(uniformKernel, { out }, { count: out.size, key0, key1, low, high }, out.size);
  return out;
}

/** Normal with the given mean and standard deviation. */
export function randomNormal(gpu: Gpu, shape: readonly number[], [key0, key1]: Key, mean = 0, deviation = 1): Tensor {
  const out = gpu.empty(shape);
  gpu.dispatch(normalKernel, { out }, { count: out.size, key0, key1, low: mean, high: deviation }, out.size);
  return out;
}

/**
 * Tensors of random numbers, drawn on the GPU by a counter-based generator. Constants: they carry no gradient.
 * Kernels: shaders/random.wgsl; the same uniform numbers on the CPU: tensor/random.ts.
 */
import source from '../shaders/random.wgsl';
import type { Gpu } from '../tensor/device.ts';
import { type Kernel, kernel, program } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';

const randomProgram = program('random', source);
const uniformKernel = kernel(randomProgram, 'uniformNumbers');
const normalKernel = kernel(randomProgram, 'normalNumbers');

/** Names a stream of numbers; see `streamKey` in tensor/random.ts. */
export type Key = readonly [number, number];

/** Uniform in [low, high); the numbers of `new Random(...)` with the same key, in order. */
export function randomUniform(gpu: Gpu, shape: readonly number[], key: Key, low = 0, high = 1): Tensor {
  return draw(gpu, uniformKernel, shape, key, low, high);
}

/** Normal with the given mean and standard deviation. */
export function randomNormal(gpu: Gpu, shape: readonly number[], key: Key, mean = 0, deviation = 1): Tensor {
  return draw(gpu, normalKernel, shape, key, mean, deviation);
}

function draw(gpu: Gpu, by: Kernel, shape: readonly number[], [key0, key1]: Key, low: number, high: number): Tensor {
  const out = gpu.empty(shape);
  const sizes = { count: out.size, first: 0, key0, key1, low, high };
  launch(by, { out }, sizes, { along: 'count', sizesOf: (first) => ({ first }) });
  return out;
}

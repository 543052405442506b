/** A suite of tests that share one GPU, opened before the first test and closed after the last. */
import fc from 'fast-check';
import { suite, type Test } from 'uvu';
import { type DeviceOptions, type Gpu, openDevice } from '../../src/tensor/device.ts';

// The same cases in every run, unless ROMO_TEST_SEED names others: by chance a value can lie so near to a kink (a tie of a
// maximum, the zero of ReLU) that f32 and f64 stand on different sides of it, and then their gradients rightly differ.
fc.configureGlobal({ seed: Number(process.env.ROMO_TEST_SEED ?? 1), includeErrorInReport: true });

// `npm test` runs the group a second time with the limits that every WebGPU adapter guarantees.
const limits = process.env.ROMO_TEST_LIMITS === 'default' ? 'default' : 'largest';

/** `gpu()` is valid inside tests only. */
export function gpuSuite(name: string, options: DeviceOptions = {}): { test: Test; gpu: () => Gpu } {
  const test = suite(name);
  let opened: Gpu | undefined;
  test.before(async () => {
    opened = await openDevice({ limits, ...options });
  });
  test.after(() => opened?.close());
  return { test, gpu: () => opened as Gpu };
}

/**
 * How kernels are chosen: `native` as this adapter has it; `plain` without the kernels for 8-lane subgroups; `fine` the same,
 * with sums cut as finely as for a hardware GPU. So one adapter tests the kernels of all.
 */
export type Variant = 'native' | 'plain' | 'fine';
export const VARIANTS: readonly Variant[] = ['native', 'plain', 'fine'];

/** Runs `body` while `gpu` chooses its kernels by `variant`. */
export async function withVariant<T>(gpu: Gpu, variant: Variant, body: () => Promise<T>): Promise<T> {
  if (variant === 'native') return body();
  const { software } = gpu;
  Object.defineProperty(gpu, 'sharesLoads', { value: false, configurable: true });
  Object.defineProperty(gpu, 'software', { value: variant === 'plain' && software, configurable: true });
  try {
    return await body();
  } finally {
    Reflect.deleteProperty(gpu, 'sharesLoads'); // the getter of the class shows again
    Object.defineProperty(gpu, 'software', { value: software, configurable: true });
  }
}

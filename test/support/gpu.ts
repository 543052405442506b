/** A suite of tests that share one GPU, opened before the first test and closed after the last. */
import fc from 'fast-check';
import { suite, type Test } from 'uvu';
import { type DeviceOptions, type Gpu, openDevice } from '../../src/tensor/device.ts';
import { MACHINES } from '../../src/tensor/machine.ts';

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

/** Whose kernels run: those of this adapter, or those for another kind, so that one adapter tests the kernels of all. */
export type Variant = 'native' | 'cpu' | 'gpu';
export const VARIANTS: readonly Variant[] = ['native', 'cpu', 'gpu'];

/** Runs `body` while `gpu` chooses its kernels by `variant`. */
export async function withVariant<T>(gpu: Gpu, variant: Variant, body: () => Promise<T>): Promise<T> {
  const { machine } = gpu;
  if (variant !== 'native') gpu.machine = MACHINES[variant];
  try {
    return await body();
  } finally {
    gpu.machine = machine;
  }
}

/** A suite of tests that share one GPU, opened before the first test and closed after the last. */
import fc from 'fast-check';
import { suite, type Test } from 'uvu';
import { BACKENDS, type BackendName, loadBackend } from '../../src/backends/backend.ts';
import { type DeviceOptions, type Gpu, openDevice } from '../../src/tensor/device.ts';

// The same cases in every run, unless ROMO_TEST_SEED is set: a value can by chance be so close to a kink (a tie of a
// maximum, the zero of ReLU) that f32 and f64 fall on different sides of it, and then their gradients rightly differ.
fc.configureGlobal({ seed: Number(process.env.ROMO_TEST_SEED ?? 1), includeErrorInReport: true });

// `npm test` runs the group again on the backend `gpu` with the limits that every WebGPU adapter guarantees.
const limits = process.env.ROMO_TEST_LIMITS === 'default' ? 'default' : 'largest';
// ROMO_TEST_BACKEND=reference runs a file on the plain definitions; the other backends work likewise.
const backend = (process.env.ROMO_TEST_BACKEND || undefined) as BackendName | undefined;

/** `gpu()` is valid inside tests only. */
export function gpuSuite(name: string, options: DeviceOptions = {}): { test: Test; gpu: () => Gpu } {
  const test = suite(name);
  let opened: Gpu | undefined;
  test.before(async () => {
    opened = await openDevice({ limits, backend, ...options });
  });
  test.after(() => opened?.close());
  return { test, gpu: () => opened as Gpu };
}

/** The group runs again with this backend, or with the limits that are guaranteed. */
const isAgain = backend !== undefined || limits === 'default';

/** How many cases of a property are tried: `count`, or a third of them where the group runs again. */
export const times = (count: number): number => (isAgain ? Math.ceil(count / 3) : count);

/** The backend whose kernels run: the device's own, or a named one, so that one adapter tests all of them. */
export type Variant = 'native' | BackendName;
export const VARIANTS: readonly Variant[] = isAgain
  ? ['native']
  : ['native', ...BACKENDS.filter((name) => name !== 'software')];

/** Runs `body` while `gpu` computes with the kernels of `variant`. */
export async function withVariant<T>(gpu: Gpu, variant: Variant, body: () => Promise<T>): Promise<T> {
  const { backend: opened } = gpu;
  if (variant !== 'native') gpu.backend = await loadBackend(variant, gpu.device);
  try {
    return await body();
  } finally {
    gpu.backend = opened;
  }
}

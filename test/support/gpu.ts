/** A suite of tests that share one GPU, opened before the first test and closed after the last. */
import { suite, type Test } from 'uvu';
import { type DeviceOptions, type Gpu, openDevice } from '../../src/tensor/device.ts';

/** `gpu()` is valid inside tests only. */
export function gpuSuite(name: string, options: DeviceOptions = {}): { test: Test; gpu: () => Gpu } {
  const test = suite(name);
  let opened: Gpu | undefined;
  test.before(async () => {
    opened = await openDevice(options);
  });
  test.after(() => opened?.close());
  return { test, gpu: () => opened as Gpu };
}

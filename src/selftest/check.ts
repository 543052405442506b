/** Examines all kernels of a device, for pages and reports: what is wrong, not what to do about it. */
import type { Gpu } from '../tensor/device.ts';
import { families, type Use } from './families.ts';
import { examine, kernelsOf } from './selftest.ts';

/** What was found out about a family of kernels. */
export interface CheckedFamily {
  readonly use: Use;
  readonly family: string;
  /** labels of the kernels that ran */
  readonly kernels: readonly string[];
  /** which output is wrong, and how; null if all are right */
  readonly fault: string | null;
}

/** Examines one family of kernels after another; open the device with `selfTest: false`. */
export async function* checkKernels(gpu: Gpu): AsyncGenerator<CheckedFamily> {
  for (const [use, ofUse] of Object.entries(await families())) {
    for (const family of ofUse) {
      const [fault] = await examine(gpu, [family]);
      const kernels = await kernelsOf(gpu, family);
      yield { use: use as Use, family: family.name, kernels, fault: fault?.what ?? null };
    }
  }
}

/** Finds the kernel whose output stops being finite: runs a recorded step one kernel at a time and reads back its output. */

import type { Gpu } from './device.ts';
import { RomoError } from './error.ts';
import type { Storage } from './memory.ts';
import type { PreparedLaunch } from './queue.ts';
import type { Replay } from './replay.ts';
import type { Tensor } from './tensor.ts';

/**
 * Runs the step once, with the same bits as `replay.run()`, many times slower.
 * @param where for the message: stage, step, samples
 * @throws RomoError `not-finite` at the first kernel that wrote a NaN or an infinity, or read one from before the step
 */
export async function runChecked(gpu: Gpu, replay: Replay, where: string): Promise<void> {
  const known = new Set<Storage>(); // checked, or written by this step
  const look = async (prepared: PreparedLaunch, type: GPUBufferBindingType, what: string) => {
    const { kernel, bindings } = prepared.launch;
    for (const [name, tensor] of Object.entries(bindings)) {
      const isKnown = type === 'read-only-storage' && known.has(tensor.storage);
      if (kernel.program.bindings.get(name)?.type !== type || isKnown) continue;
      known.add(tensor.storage);
      if (tensor.dtype === 'f32') await check(gpu, tensor, `${kernel.label} ${what} ${name}`, where);
    }
  };
  for (const prepared of replay.launches) {
    const isKernel = 'pipeline' in prepared;
    if (isKernel) await look(prepared, 'read-only-storage', READS);
    gpu.queue.replay([prepared]);
    if (isKernel) await look(prepared, 'storage', 'is the first kernel whose output is not finite:');
  }
}

const READS = 'is the first kernel to read what is not finite, from before the step:';

async function check(gpu: Gpu, { shape, storage, offset, bytes }: Tensor, what: string, where: string): Promise<void> {
  const values = new Float32Array(await gpu.queue.read(storage.buffer, offset, bytes));
  const bad = values.filter((value) => !Number.isFinite(value)).length;
  if (bad === 0) return;
  const first = values.findIndex((value) => !Number.isFinite(value));
  throw new RomoError(
    'not-finite',
    `${what} [${shape}], ${bad} of ${values.length} numbers, the first, number ${first}, is ${values[first]} (${where})`,
    'Look at the kernel and its inputs, or lower the learning rate.',
  );
}

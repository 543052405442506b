/** Finds where numbers stop being finite: a recorded step is run kernel by kernel, and all that each has written is read back. */
import type { Gpu } from './device.ts';
import { RomoError } from './error.ts';
import type { Dispatch } from './kernel.ts';
import type { Replay } from './replay.ts';

/**
 * Runs the step once; the same bits as `replay.run()`, and many times slower.
 * @param where for the message: stage, step, samples
 * @throws RomoError `not-finite` at the first kernel with a NaN or an infinity in what it wrote
 */
export async function runChecked(gpu: Gpu, replay: Replay, where: string): Promise<void> {
  for (const launch of replay.launches) {
    gpu.commands.launch([launch]);
    if ('pipeline' in launch) await checkOutputs(gpu, launch.dispatch, where);
  }
}

async function checkOutputs(gpu: Gpu, { kernel, bindings }: Dispatch, where: string): Promise<void> {
  for (const [name, { dtype, shape, storage, offset, bytes }] of Object.entries(bindings)) {
    if (dtype !== 'f32' || kernel.program.bindings.get(name)?.type !== 'storage') continue;
    const values = new Float32Array(await gpu.commands.read(storage.buffer, offset, bytes));
    const bad = values.filter((value) => !Number.isFinite(value)).length;
    if (bad === 0) continue;
    const first = values.findIndex((value) => !Number.isFinite(value));
    throw new RomoError(
      'not-finite',
      `${kernel.label} is the first kernel whose output is not finite: ${bad} of the ${values.length} numbers of ` +
        `${name} [${shape}], the first, number ${first}, is ${values[first]} (${where})`,
      'All that it read was finite: look at the kernel, or lower the learning rate.',
    );
  }
}

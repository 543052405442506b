/** `--device` and `--backend`: select the adapter and its kernels; and what goes on when a device is lost. */
import { type Command, Option } from 'commander';
import { BACKENDS, type BackendName } from '../backends/backend.ts';
import type { DeviceOptions, Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { isLost } from '../tensor/recover.ts';

/** Values of the two options. */
export interface GivenDevice {
  readonly device?: string | undefined;
  readonly backend?: BackendName | undefined;
}

/** Adds both options to a command. */
export function addDeviceOptions(command: Command): Command {
  return command
    .option('--device <name>', "part of the WebGPU adapter's name (node dist/doctor.js lists them)")
    .addOption(
      new Option('--backend <name>', "kernels; default: the adapter's; reference: plain definitions, slow").choices(
        BACKENDS,
      ),
    );
}

/** The options as `openDevice` takes them. */
export const deviceOptions = ({ device, backend }: GivenDevice): DeviceOptions => ({ adapter: device, backend });

/** New devices to try before a loss counts as permanent. */
const MOST_LOSSES = 3;

/**
 * Runs `work` on a GPU; if that is lost, again on a new one, at most `MOST_LOSSES` times. Each GPU is closed afterwards.
 * @param work begins where the last checkpoint left off
 * @param onLost called before `work` is, from the second time on
 */
export async function withDevice<T>(
  open: () => Promise<Gpu>,
  work: (gpu: Gpu) => Promise<T>,
  onLost: (losses: number) => void,
): Promise<T> {
  for (let losses = 1; ; losses++) {
    const gpu = await open();
    try {
      return await work(gpu);
    } catch (error) {
      if (!(await isLost(gpu, error))) throw error;
      if (losses > MOST_LOSSES) {
        throw new RomoError(
          'device-lost',
          `the GPU was lost ${losses} times: ${(error as Error).message}`,
          'Look at the driver, or use a smaller batch.',
        );
      }
    } finally {
      gpu.close();
    }
    onLost(losses);
  }
}

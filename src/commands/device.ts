/** `--device` and `--backend`: select the adapter and its kernels. */
import { type Command, Option } from 'commander';
import { BACKENDS, type BackendName } from '../backends/backend.ts';
import type { DeviceOptions } from '../tensor/device.ts';

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

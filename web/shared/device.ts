/** Opens a device in a worker, with a result that the page can read. */
import { type DeviceOptions, type Gpu, openDevice, RomoError } from 'romo/encoders';

/** A device, or why there is none. Not an error, since errors lose their class between worker and page. */
export type Opening = { readonly gpu: Gpu } | { readonly refused: string };

/** Opens the device. A missing adapter is a result, not an error. */
export async function tryOpenDevice(options: DeviceOptions = {}): Promise<Opening> {
  try {
    return { gpu: await openDevice(options) };
  } catch (error) {
    if (error instanceof RomoError && error.code === 'no-adapter') {
      return { refused: 'The browser supports WebGPU, but found no adapter.' };
    }
    throw error;
  }
}

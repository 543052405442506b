/** Opening a device in a worker, with a plain answer. */
import { type Gpu, openDevice, RomoError } from 'romo/encoders';

/** A device, or why there is none: errors lose their class on the way from a worker to the page. */
export type Opening = { readonly gpu: Gpu } | { readonly refused: string };

/** Opens the device; a missing adapter is an answer, not an error. */
export async function tryOpenDevice(): Promise<Opening> {
  try {
    return { gpu: await openDevice() };
  } catch (error) {
    if (error instanceof RomoError && error.code === 'no-adapter') {
      return { refused: 'The browser knows WebGPU, but found no adapter that it may use.' };
    }
    throw error;
  }
}

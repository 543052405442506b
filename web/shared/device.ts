/** What workers need around a device: opening it with a plain answer, and telling a loss from other errors. */
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

/** Codes of errors that a file or a setting of the visitor's causes, never a device. */
const OF_THE_INPUT = new Set(['file', 'state-dict', 'shape', 'data', 'option', 'label']);

/** How long to wait for a loss to be reported: on a busy machine a second was seen to pass. */
const MOMENT = 2000;

/** Does the error come from a lost device? A loss is reported a moment after the errors that it causes. */
export async function isLost({ device }: Pick<Gpu, 'device'>, error: unknown): Promise<boolean> {
  if (error instanceof RomoError && OF_THE_INPUT.has(error.code)) return false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const moment = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), MOMENT);
  });
  const isLoss = await Promise.race([device.lost.then(() => true), moment]);
  clearTimeout(timer);
  return isLoss;
}

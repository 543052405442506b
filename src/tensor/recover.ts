/** Telling a lost device from other errors: a driver that was reset, a GPU that went to another program. */
import type { Gpu } from './device.ts';
import { RomoError } from './error.ts';

/** How long to wait for a loss to be reported, in ms: on a busy machine a second was seen to pass. */
const MOMENT = 2000;

/** Codes of errors that a file or an option causes, never a device. */
const OF_THE_INPUT = new Set(['file', 'state-dict', 'shape', 'data', 'option', 'label']);

/** Does the error come from a lost device? A loss is reported a moment after the errors that it causes. */
export async function isLost({ device }: Pick<Gpu, 'device'>, error: unknown): Promise<boolean> {
  if (error instanceof RomoError && OF_THE_INPUT.has(error.code)) return false;
  return (await within(MOMENT, device.lost)) !== LATE;
}

/** In place of an answer that did not come in time. */
export const LATE = Symbol('late');

/** What the promise resolves to, or LATE after so many ms. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | typeof LATE> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

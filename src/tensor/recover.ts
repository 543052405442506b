/** Recovering from a lost device: a driver that was reset, a GPU that went to another program. */
import type { Gpu } from './device.ts';
import { RomoError } from './error.ts';

/** New devices to try before a loss counts as permanent. */
const MOST_LOSSES = 3;

/** How long to wait for a loss to be reported, in ms: on a busy machine a second was seen to pass. */
const MOMENT = 2000;

/** Codes of errors that a file or an option causes, never a device. */
const OF_THE_INPUT = new Set(['file', 'state-dict', 'shape', 'data', 'option', 'label']);

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

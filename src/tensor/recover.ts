/** Going on after a lost device: a driver that was reset, a GPU that went to another program. */
import type { Gpu } from './device.ts';
import { RomoError } from './error.ts';

/** So often a new device is opened before the loss is taken for a fault that stays. */
export const MOST_LOSSES = 3;

/** Was the device lost? A loss is reported a moment after the errors that it causes. */
export function isLost(gpu: Gpu): Promise<boolean> {
  const moment = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 200));
  return Promise.race([gpu.device.lost.then(() => true), moment]);
}

/**
 * Runs `work` on a GPU; where it is lost, again on a new one, at most `MOST_LOSSES` times. Each GPU is closed behind
 * it.
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
      if (!(await isLost(gpu))) throw error;
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

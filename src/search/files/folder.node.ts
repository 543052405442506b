/**
 * The folder of an embedded database: for one process at a time, because two would destroy it. A page's:
 * folder.browser.ts.
 */
import { join } from 'node:path';
import { makeFolder } from '../../files/disk.ts';
import { whileLocked } from '../../files/lock.ts';

const PATIENCE = 1_000; // ms; another process may keep it open for longer

export interface TakenFolder {
  /** of the database's own files */
  readonly path: string;
  release(): Promise<void>;
}

/** @throws RomoError `gallery` if another process has it open */
export async function takeFolder(folder: string): Promise<TakenFolder> {
  makeFolder(folder);
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return new Promise((resolve, reject) => {
    const whole = whileLocked(
      folder,
      () => {
        const release = () => {
          end();
          return whole;
        };
        resolve({ path: join(folder, 'postgres'), release });
        return ended;
      },
      PATIENCE,
    );
    whole.catch(reject);
  });
}

/** A lock file, which lets one process at a time write into a folder. Node only. */
import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RomoError } from '../tensor/error.ts';
import { ignoreMissing } from './disk.ts';

const LOCK = 'lock';
const PATIENCE = 60_000; // ms; a writer holds the lock for one batch

/** True if the owner was a process of this machine that has ended. */
function isDead(owner: string): boolean {
  const [host, pid] = owner.split(' ');
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/**
 * Runs `write` while holding the folder's lock. The lock of a killed process is taken over.
 * @param patience ms to wait for the process that holds the lock; default 60,000
 */
export async function whileLocked<T>(folder: string, write: () => Promise<T>, patience = PATIENCE): Promise<T> {
  const path = join(folder, LOCK);
  const own = join(folder, `${LOCK}-${randomUUID()}`);
  await writeFile(own, `${hostname()} ${process.pid}`, { flag: 'wx' });
  try {
    const until = Date.now() + patience;
    while (!(await linked(own, path))) {
      const owner = await readFile(path, 'utf8').catch(ignoreMissing);
      if (owner === null) continue;
      if (isDead(owner)) await takeOver(folder, own, path);
      else if (Date.now() > until) {
        throw new RomoError(
          'gallery',
          `${folder} is being written by another process (host and number: ${owner})`,
          `Wait for it; if it no longer runs, delete ${path} and all ${LOCK}-* files next to it.`,
        );
      }
      await sleep(20 + 30 * Math.random());
    }
  } finally {
    await rm(own);
  }
  try {
    return await write();
  } finally {
    await rm(path);
  }
}

/** `link` fails if the name is taken, and makes name and content appear at once. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cause;
  }
}

/** Removes the lock of a dead process. One process at a time, because the lock may have a new owner by then. */
async function takeOver(folder: string, own: string, path: string): Promise<void> {
  const guard = join(folder, `${LOCK}-takeover`);
  if (!(await linked(own, guard))) return;
  try {
    const owner = await readFile(path, 'utf8').catch(ignoreMissing);
    if (owner !== null && isDead(owner)) await rm(path);
  } finally {
    await rm(guard);
  }
}

/** Removes the files of processes that were killed while they waited for the lock. Call it while holding the lock. */
export async function removeDeadLocks(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${LOCK}-`)) continue;
    const owner = await readFile(join(folder, name), 'utf8').catch(ignoreMissing);
    if (owner !== null && isDead(owner)) await rm(join(folder, name), { force: true });
  }
}

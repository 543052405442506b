/**
 * A lock file, which lets one process at a time write into a folder. It needs nothing but that creating a file fails if
 * the name is taken, which also holds on exFAT, SMB and FUSE. Node only.
 */
import { readFileSync } from 'node:fs';
import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RomoError } from '../tensor/error.ts';
import { ignoreMissing } from './disk.ts';

const LOCK = 'lock';
const PATIENCE = 60_000; // ms; a writer holds the lock for one batch
const WRITING = 5_000; // ms; a lock that has no owner after this time was created by a process that was killed

/**
 * When a process started, in ticks of the kernel. A number alone does not identify a process: in a container, every
 * program may be process 1. null if there is no such process, or the system does not say.
 */
function startOf(pid: number): string | null {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return status.slice(status.lastIndexOf(')') + 2).split(' ')[19]; // field 22; the name before it may hold anything
  } catch {
    return null;
  }
}

/** Where the system does not say it, a number that differs between processes (and between threads) stands in. */
const SELF = startOf(process.pid) ?? `${Date.now()}-${Math.random()}`;
const OWNER = `${hostname()} ${process.pid} ${SELF}`;

/** True if the owner was a process of this machine that has ended. */
function isDead(owner: string): boolean {
  const [host, number, start] = owner.split(' ');
  if (host !== hostname()) return false;
  const pid = Number(number);
  if (pid === process.pid) return start !== SELF;
  try {
    process.kill(pid, 0);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  const now = startOf(pid);
  return start !== undefined && now !== null && start !== now;
}

/** Is it the lock of a process that was killed? */
async function isLeftOver(path: string): Promise<boolean> {
  const owner = await readFile(path, 'utf8').catch(ignoreMissing);
  if (owner === null) return false;
  if (owner !== '') return isDead(owner);
  const status = await stat(path).catch(ignoreMissing);
  return status !== null && Date.now() - status.mtimeMs > WRITING;
}

/**
 * Runs `write` while holding the folder's lock. The lock of a killed process is taken over.
 * @param patience ms to wait for the process that holds the lock; default 60,000
 * @throws RomoError `gallery` if another process holds it for longer
 */
export async function whileLocked<T>(folder: string, write: () => Promise<T>, patience = PATIENCE): Promise<T> {
  const path = join(folder, LOCK);
  const until = Date.now() + patience;
  while (!(await created(path))) {
    if (await isLeftOver(path)) await takeOver(folder, path);
    else if (Date.now() > until) {
      const owner = await readFile(path, 'utf8').catch(ignoreMissing);
      throw new RomoError(
        'gallery',
        `${folder} is being written by another process (host, number, start: ${owner})`,
        `Wait for it; if it no longer runs, delete ${path} and all ${LOCK}-* files next to it.`,
      );
    }
    await sleep(20 + 30 * Math.random());
  }
  try {
    return await write();
  } finally {
    await rm(path);
  }
}

/** Creates the file with the name of this process in it. @returns false if it exists */
async function created(path: string): Promise<boolean> {
  const file = await open(path, 'wx').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EEXIST') return null;
    throw cause;
  });
  if (file === null) return false;
  try {
    await file.writeFile(OWNER).finally(() => file.close());
  } catch (cause) {
    await rm(path, { force: true });
    throw cause;
  }
  return true;
}

/** Removes the lock of a dead process. One process at a time, because the lock may have a new owner by then. */
async function takeOver(folder: string, path: string): Promise<void> {
  const guard = join(folder, `${LOCK}-takeover`);
  if (!(await created(guard))) {
    if (await isLeftOver(guard)) await rm(guard, { force: true });
    return;
  }
  try {
    if (await isLeftOver(path)) await rm(path);
  } finally {
    await rm(guard);
  }
}

/** Removes the files of processes that were killed while they took over the lock. Call it while holding the lock. */
export async function removeDeadLocks(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(`${LOCK}-`) && (await isLeftOver(join(folder, name)))) {
      await rm(join(folder, name), { force: true });
    }
  }
}

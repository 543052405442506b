/** Files of a gallery on disk: read in pieces, written whole or not at all, by one process at a time. Node only. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, link, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RomoError } from '../../tensor/error.ts';
import type { ByteSource } from './stored_part.ts';

export class FileSource implements ByteSource {
  private constructor(
    readonly name: string,
    readonly size: number,
    private readonly file: FileHandle,
  ) {}

  static async open(path: string): Promise<FileSource> {
    const file = await open(path, 'r');
    return new FileSource(path, (await file.stat()).size, file);
  }

  async read(begin: number, end: number, memory?: Uint8Array): Promise<Uint8Array> {
    const bytes = memory?.subarray(0, end - begin) ?? new Uint8Array(end - begin);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await this.file.read(bytes, at, bytes.length - at, begin + at);
      if (bytesRead === 0) {
        throw new RomoError('file', `${this.name} became shorter while it was read`, 'Copy the gallery again, whole.');
      }
      at += bytesRead;
    }
    return bytes;
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

type Chunks = Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>;

/** Writes a file piece by piece; it has its name when all of it is on the disk. */
export async function writeChunks(path: string, chunks: Chunks): Promise<void> {
  const temporary = `${path}.part`;
  const file = await open(temporary, 'w');
  try {
    for await (const chunk of chunks) await file.writeFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

const LOCK = 'lock';
const PATIENCE = 60_000; // ms; a writer holds the lock for one batch

/** Was it a process of this machine, and is it gone? */
function isLeftOver(owner: string): boolean {
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
 * Runs `write` while no other process writes into the folder. A process that was killed leaves a lock that the next one takes.
 * @param patience ms to wait for a process that has the lock
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
      if (isLeftOver(owner)) await takeOver(folder, own, path);
      else if (Date.now() > until) {
        throw new RomoError(
          'gallery',
          `${folder} is being written by another process (host and number: ${owner})`,
          `Wait for it; if it is gone, delete ${path} and what begins with ${LOCK}- there.`,
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

/** `link` fails where the name is taken, and the content is there with the name. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cause;
  }
}

/** Removes the lock of a dead process: one process at a time, lest it be another's new lock by then. */
async function takeOver(folder: string, own: string, path: string): Promise<void> {
  const guard = join(folder, `${LOCK}-takeover`);
  if (!(await linked(own, guard))) return;
  try {
    const owner = await readFile(path, 'utf8').catch(ignoreMissing);
    if (owner !== null && isLeftOver(owner)) await rm(path);
  } finally {
    await rm(guard);
  }
}

export function ignoreMissing(cause: unknown): null {
  if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
  throw cause;
}

/** Removes what killed writers left: parts that no manifest names. Call it while locked. */
export async function removeLeftOvers(folder: string, kept: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, part] = /^(part-\d+)\.(?:safetensors|jsonl)(?:\.part)?$/.exec(name) ?? [];
    if (part && (!kept.has(part) || name.endsWith('.part'))) await rm(join(folder, name));
    if (!name.startsWith(`${LOCK}-`)) continue;
    const owner = await readFile(join(folder, name), 'utf8').catch(ignoreMissing);
    if (owner !== null && isLeftOver(owner)) await rm(join(folder, name), { force: true });
  }
}

/** Writing to the disk so that a crash leaves the old file or the new one, never half of one. Node only. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

type Chunk = string | Uint8Array;

export interface WriteOptions {
  /** The file that has the name until now keeps this one: the version before. */
  readonly previous?: string;
  /**
   * Several processes may write this file at the same time, so that each needs a temporary file of its own. Default
   * false.
   */
  readonly shared?: boolean;
  /** Wait until the disk has the bytes and the name. False for what can be made again. Default true. */
  readonly sync?: boolean;
}

/**
 * Writes a file whole or not at all: to a temporary file next to it, which is synced, then renamed; last, the folder is
 * synced.
 * @param content all of it, or chunks in order
 */
export async function writeWhole(
  path: string,
  content: Chunk | Iterable<Chunk> | AsyncIterable<Chunk>,
  { previous, shared = false, sync = true }: WriteOptions = {},
): Promise<void> {
  const temporary = shared ? `${path}.${randomUUID()}.part` : `${path}.part`;
  const chunks = typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
  try {
    const file = await open(temporary, 'w');
    try {
      for await (const chunk of chunks) await file.writeFile(chunk);
      if (sync) await file.sync();
    } finally {
      await file.close();
    }
    if (previous !== undefined && existsSync(path)) await rename(path, previous);
    await rename(temporary, path);
    if (sync) await syncFolder(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {}); // where that fails too, the first error says why
    throw cause;
  }
}

/** Puts the names in a folder onto the disk. Windows cannot do it, and does not need it. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

/**
 * Makes a folder and those above it. Node's recursive mkdir never returns where a level refuses with ENOENT, as /proc
 * does.
 */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(resolve(folder)));
  try {
    mkdirSync(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause; // another thread was faster
  }
}

/** For `catch`: null where the file does not exist. */
export function ignoreMissing(cause: unknown): null {
  if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
  throw cause;
}

/** Writes files so that a crash leaves the old file or the new one, never a part. Node only. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

type Chunk = string | Uint8Array;

export interface WriteOptions {
  /** Path under which the existing file is kept, as the previous version. */
  readonly previous?: string;
  /** Gives each writer its own temporary file, for files that several processes may write at once. Default false. */
  readonly shared?: boolean;
  /** Wait until content and name are on disk. False for files that can be recreated. Default true. */
  readonly sync?: boolean;
}

/**
 * Writes a file atomically: writes a temporary file next to it, syncs it, renames it, and syncs the folder.
 * @param content the whole content, or its chunks in order
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
    await rm(temporary, { force: true }).catch(() => {}); // if that fails too, the first error says why
    throw cause;
  }
}

/** Flushes the names in a folder to disk. Windows and some mounted file systems cannot do this. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (cause) {
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes((cause as NodeJS.ErrnoException).code ?? ''))
      throw cause;
  } finally {
    await handle.close();
  }
}

/** Creates a folder and its parents. (Node's recursive mkdir hangs if a level fails with ENOENT, as in /proc.) */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(resolve(folder)));
  try {
    mkdirSync(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause; // another thread was faster
  }
}

/** For `catch`: null if the file does not exist, otherwise rethrows. */
export function ignoreMissing(cause: unknown): null {
  if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
  throw cause;
}

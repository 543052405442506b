/** The files of a gallery on disk: reading ranges of them, and removing what killed writers left. Node only. */
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ignoreMissing } from '../../files/disk.ts';
import { removeDeadLocks } from '../../files/lock.ts';
import { RomoError } from '../../tensor/error.ts';
import type { ListedPart } from './manifest.ts';
import { type ByteSource, StoredPart } from './stored_part.ts';

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
        throw new RomoError('file', `${this.name} got shorter during the read`, 'Copy the whole gallery again.');
      }
      at += bytesRead;
    }
    return bytes;
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** ms; a file may be replaced without another date within its file system's resolution, which is 2 s on FAT */
const SETTLED = 3_000;

/** Identifies a version of a file, without reading it. '' if it is so young that a later version may look the same. */
export async function stateOf(path: string): Promise<string> {
  const { ino, size, mtimeNs, mtimeMs } = await stat(path, { bigint: true });
  return Date.now() - Number(mtimeMs) > SETTLED ? `${ino} ${size} ${mtimeNs}` : '';
}

/** A part whose files are open. */
export interface OpenPart {
  readonly part: StoredPart;
  readonly files: readonly FileSource[];
}

/** @returns null if one of its files is missing */
export async function openPart(folder: string, listed: ListedPart, dimension: number): Promise<OpenPart | null> {
  const vectors = await FileSource.open(join(folder, `${listed.name}.safetensors`)).catch(ignoreMissing);
  const lines = await FileSource.open(join(folder, `${listed.name}.jsonl`)).catch(ignoreMissing);
  const files = [vectors, lines].filter((file) => file !== null);
  try {
    if (!vectors || !lines) return null;
    return { part: await StoredPart.open(listed, dimension, vectors, lines), files: files.splice(0) };
  } finally {
    for (const file of files) await file.close();
  }
}

/** Removes what killed writers left: parts that are not listed, and stale locks. Needs the lock. */
export async function removeLeftOvers(folder: string, kept: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, part] = /^(part-\d+)\.(?:safetensors|jsonl)(?:\.part)?$/.exec(name) ?? [];
    if (part && (!kept.has(part) || name.endsWith('.part'))) await rm(join(folder, name));
  }
  await removeDeadLocks(folder);
}

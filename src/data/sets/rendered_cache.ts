/**
 * The cache folder of rendered objects: KEY.png has the views stacked vertically, KEY.safetensors the cloud. KEY is the
 * SHA-256 of the object's content and of all options that change the result, so entries are never stale. The folder may
 * be deleted at any time. Node only.
 */
import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder, writeWhole } from '../../files/disk.ts';
import { decodeSafetensors, encodeSafetensors } from '../../files/safetensors.ts';
import type { StoredObject } from './object.ts';

/** The default: the user's cache directory. */
export const defaultCacheFolder = (): string =>
  join(process.env.XDG_CACHE_HOME || join(home(), '.cache'), 'romo', 'rendered');

/** Users of containers may have no home. */
function home(): string {
  try {
    return homedir();
  } catch {
    return tmpdir();
  }
}

/** @returns folder: null if nothing can be written there; then `notes` says why */
export async function usableCache(folder: string | null): Promise<{ folder: string | null; notes: string[] }> {
  if (folder === null) return { folder, notes: [] };
  try {
    const probe = join(folder, `${randomUUID()}.part`);
    makeFolder(folder);
    await writeWhole(probe, '', CACHED);
    await rm(probe);
    return { folder, notes: [] };
  } catch (cause) {
    return { folder: null, notes: [notWritten(folder, cause as Error)] };
  }
}

const notWritten = (folder: string, { message }: Error): string =>
  `no cache, cannot write to ${folder}: ${message} (--cache-dir names another folder, or none)`;

/** Folders that this thread has failed to write to, and said so. */
const failed = new Set<string>();

/** Several threads and runs may write an object at once. Entries lost in a crash are rendered again. */
const CACHED = { shared: true, sync: false } as const;

export class RenderedCache {
  constructor(private readonly folder: string) {}

  /** @returns null if the object is missing or incomplete, and must be rendered */
  async get(key: string, size: number, views: number): Promise<StoredObject | null> {
    try {
      const [png, file] = await Promise.all([readFile(this.path(key, 'png')), readFile(this.path(key, 'safetensors'))]);
      const { default: sharp } = await import('sharp');
      const pixels = await sharp(png).extractChannel(0).raw({ depth: 'uchar' }).toBuffer();
      const { tensors, metadata } = decodeSafetensors(file, key);
      if (pixels.length !== views * size * size) return null;
      return {
        views: Array.from({ length: views }, (_, view) =>
          pixels.subarray(view * size * size, (view + 1) * size * size),
        ),
        cloud: tensors.cloud.data as Float32Array,
        origin: JSON.parse(metadata.origin),
      };
    } catch {
      return null; // missing or damaged, which is the same for the caller
    }
  }

  /** The object is good even if it cannot be kept, for example on a full disk: a warning says so, once. */
  async put(key: string, { views, cloud, origin }: StoredObject, size: number): Promise<void> {
    const { default: sharp } = await import('sharp');
    const raw = { width: size, height: views.length * size, channels: 1 } as const;
    const png = await sharp(Buffer.concat(views), { raw }).png().toBuffer();
    const entry = { shape: [cloud.length / 3, 3], dtype: 'f32', data: cloud } as const;
    try {
      makeFolder(join(this.folder, key.slice(0, 2)));
      await writeWhole(this.path(key, 'png'), png, CACHED);
      await writeWhole(
        this.path(key, 'safetensors'),
        encodeSafetensors({ cloud: entry }, { origin: JSON.stringify(origin) }),
        CACHED,
      );
    } catch (cause) {
      if (!failed.has(this.folder)) process.emitWarning(notWritten(this.folder, cause as Error));
      failed.add(this.folder);
    }
  }

  private path(key: string, extension: string): string {
    return join(this.folder, key.slice(0, 2), `${key}.${extension}`);
  }
}

/**
 * The cache folder of rendered objects: KEY.png has the views stacked vertically, KEY.safetensors the cloud. KEY is the
 * SHA-256 of the object's content and of all options that change the result, so entries are never stale. The folder may
 * be deleted at any time. Node only.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { makeFolder, writeWhole } from '../../files/disk.ts';
import { decodeSafetensors, encodeSafetensors } from '../../files/safetensors.ts';
import { RomoError } from '../../tensor/error.ts';
import type { StoredObject } from './object.ts';

/** The default: the user's cache directory. */
export const defaultCacheFolder = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'romo', 'rendered');

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
      return null; // missing or damaged, which is the same for the caller; `put` reports errors of the folder
    }
  }

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
      throw new RomoError(
        'file',
        `cannot write to the cache folder ${this.folder}: ${(cause as Error).message}`,
        'Choose another one with --cache-dir, or use --cache-dir none.',
      );
    }
  }

  private path(key: string, extension: string): string {
    return join(this.folder, key.slice(0, 2), `${key}.${extension}`);
  }
}

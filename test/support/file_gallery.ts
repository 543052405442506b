/** Galleries of files in a folder of the test's own. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileGallery } from '../../src/search/files/file_gallery.ts';
import { readGallery } from '../../src/search/files/gallery_reader.ts';
import type { Entry, Modality, Numbers } from '../../src/search/gallery.ts';
import { blockVector, type STAMP } from './gallery.ts';
import { gpuSuite } from './gpu.ts';

export function fileGallerySuite(name: string) {
  const { test, gpu } = gpuSuite(name);
  const folder = mkdtempSync(join(tmpdir(), 'romo-gallery-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  let made = 0;
  return {
    test,
    gpu,
    folder,
    newPath: () => join(folder, `gallery-${made++}`),
    open: (path: string, stamp: typeof STAMP | null = null, numbers?: Numbers) =>
      openFileGallery(path, stamp, async () => gpu(), numbers),
    asPage: (path: string) =>
      readGallery(gpu(), async (file) => new Blob([new Uint8Array(readFileSync(join(path, file)))])),
  };
}

export function entryOf(number: number, modality: Modality, seed: number): Entry {
  const metadata = { category: number % 2 === 0 ? 'even' : null, size: number, seed };
  return { id: `id ${number}`, modality, vector: blockVector(seed), metadata };
}

export const manyOf = (count: number): Entry[] => Array.from({ length: count }, (_, i) => entryOf(i, 'image', i % 7));

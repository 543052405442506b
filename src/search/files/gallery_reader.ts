/** Reads a gallery in files from anywhere: a server, a folder that the user chose in a page, memory. */
import type { Gpu } from '../../tensor/device.ts';
import type { Answer, GalleryInfo, ModelStamp, SearchOptions } from '../gallery.ts';
import { totals } from '../rank.ts';
import { MANIFEST, parseManifest } from './manifest.ts';
import { Resident } from './resident.ts';
import { searchParts } from './search_parts.ts';
import { type ByteSource, StoredPart } from './stored_part.ts';

/** A read-only gallery. */
export interface GalleryReader {
  readonly model: ModelStamp;
  /** Model, counts, storage. */
  info(): GalleryInfo;
  /**
   * See `Gallery.search`.
   * @param queries [Q, d], unit rows
   */
  search(queries: Float32Array, options: SearchOptions): Promise<Answer[][]>;
}

/**
 * Opens a gallery that `node dist/search.js index` wrote. Vectors are read when they are first searched; up to 1 GiB of
 * them stays on the GPU until it is closed.
 *
 *     const gallery = await readGallery(gpu, async (name) => (await fetch(`gallery/${name}`)).blob());
 *
 * @param read returns a file of the gallery's folder by name
 * @throws RomoError `file` if a file is damaged or truncated
 */
export async function readGallery(
  gpu: Gpu,
  read: (name: string) => Promise<Blob | ArrayBuffer>,
): Promise<GalleryReader> {
  const source = async (name: string): Promise<ByteSource> => {
    const content = await read(name);
    return sourceOf(name, content instanceof Blob ? content : new Blob([content]));
  };
  const file = await source(MANIFEST);
  const { model, parts: listed } = parseManifest(new TextDecoder().decode(await file.read(0, file.size)), MANIFEST);
  const parts: StoredPart[] = [];
  for (const part of listed) {
    const [vectors, lines] = await Promise.all([source(`${part.name}.safetensors`), source(`${part.name}.jsonl`)]);
    parts.push(await StoredPart.open(part, model.dimension, vectors, lines));
  }
  const resident = new Resident(gpu, model.dimension);
  return {
    model,
    info: () => ({ model, ...countRows(parts), storage: `files, ${parts.length} parts; exact search on the GPU` }),
    search: (queries, options) => searchParts(resident, parts, model.dimension, queries, options),
  };
}

export function countRows(parts: readonly StoredPart[]): Pick<GalleryInfo, 'images' | 'points' | 'sources'> {
  const counts = new Map<string, { images: number; points: number }>();
  for (const part of parts) {
    for (const row of part.rows()) {
      const { source, modality } = part.labels[row];
      const count = counts.get(source) ?? { images: 0, points: 0 };
      counts.set(source, count);
      count[modality === 'image' ? 'images' : 'points']++;
    }
  }
  return totals([...counts].map(([source, count]) => ({ source, ...count })));
}

function sourceOf(name: string, blob: Blob): ByteSource {
  return {
    name,
    size: blob.size,
    read: async (begin, end) => new Uint8Array(await blob.slice(begin, end).arrayBuffer()),
  };
}

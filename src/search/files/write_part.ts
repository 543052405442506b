/** Writes a part of a gallery in files, and decides which parts to merge. Node only. */
import { join } from 'node:path';
import { writeWhole } from '../../files/disk.ts';
import { toHalves } from '../../files/half.ts';
import { encodeSafetensorsHeader } from '../../files/safetensors.ts';
import type { Numbers } from '../gallery.ts';
import { encodeLabel, type Label, type ListedPart } from './manifest.ts';
import type { StoredPart } from './stored_part.ts';

/** Vectors [n, d], in order. */
export type Blocks = Iterable<Float32Array> | AsyncIterable<Float32Array>;

/** Writes both files of a part, with one block in memory at a time. */
export async function writePart(
  folder: string,
  name: string,
  dimension: number,
  numbers: Numbers,
  labels: readonly Label[],
  blocks: Blocks,
): Promise<ListedPart> {
  async function* vectors() {
    yield encodeSafetensorsHeader({ vectors: { shape: [labels.length, dimension], dtype: numbers } });
    for await (const block of blocks) {
      const values = numbers === 'f16' ? toHalves(block) : block;
      yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    }
  }
  await writeWhole(join(folder, `${name}.safetensors`), vectors());
  await writeWhole(join(folder, `${name}.jsonl`), inPieces(labels));
  return { name, rows: labels.length, dead: [] };
}

/** Largest number of rows in a merged part. */
const MOST_ROWS = 65_536;
/** Parts of about the same size to merge into one: a row is rewritten once per power of 8. */
const MERGED = 8;

/** The parts to merge now; empty if there is nothing to merge. */
export function toMerge(parts: readonly StoredPart[]): StoredPart[] {
  const holed = parts.find((part) => part.dead.size > part.live);
  if (holed) return [holed];
  const bySize = new Map<number, StoredPart[]>();
  for (const part of parts.filter(({ live }) => live < MOST_ROWS / MERGED)) {
    const size = Math.floor(Math.log(part.live) / Math.log(MERGED));
    bySize.set(size, [...(bySize.get(size) ?? []), part]);
  }
  return [...bySize.values()].find((some) => some.length >= MERGED) ?? [];
}

/** The lines of labels, 256 at a time. */
function* inPieces(labels: readonly Label[]): Generator<string> {
  for (let from = 0; from < labels.length; from += 256)
    yield labels
      .slice(from, from + 256)
      .map(encodeLabel)
      .join('');
}

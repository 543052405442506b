/**
 * Vectors of a gallery in files on the GPU. Once read they stay there, so that a search takes as long as its kernel.
 * What exceeds the limit is read anew for each search.
 */
import type { Gpu } from '../../tensor/device.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type Selection, upload } from '../exact.ts';
import { blockMemory, type Chosen, type StoredPart } from './stored_part.ts';

/** Most bytes that stay. */
const KEPT = 2 ** 30;

export class Resident {
  private readonly kept = new Map<StoredPart, Map<number, Tensor>>();
  private bytes = 0;

  constructor(
    readonly gpu: Gpu,
    private readonly dimension: number,
  ) {}

  /** Chosen rows, block by block. A block that does not stay is valid until the next one is requested. */
  async *read(chosen: readonly Chosen[]): AsyncGenerator<Selection> {
    const memory = blockMemory(chosen);
    for (const { part, block, rows } of chosen) {
      const known = this.kept.get(part)?.get(block);
      if (known) {
        yield { vectors: known, rows };
        continue;
      }
      const vectors = upload(this.gpu, await part.read(block, memory), this.dimension).keep();
      const stays = this.keep(part, block, vectors);
      try {
        yield { vectors, rows };
      } finally {
        if (!stays) vectors.dispose();
      }
    }
  }

  private keep(part: StoredPart, block: number, vectors: Tensor): boolean {
    const { used, limit } = this.gpu.budget;
    const own = this.kept.get(part) ?? new Map<number, Tensor>();
    // A search at the same time may have read the block, too.
    if (own.has(block) || this.bytes + vectors.bytes > KEPT || 2 * used > limit) return false;
    this.kept.set(part, own.set(block, vectors));
    this.bytes += vectors.bytes;
    return true;
  }

  /** Frees the vectors of parts that are not among these. */
  keepOnly(parts: readonly StoredPart[]): void {
    for (const [part, blocks] of this.kept) {
      if (parts.includes(part)) continue;
      for (const vectors of blocks.values()) {
        this.bytes -= vectors.bytes;
        vectors.dispose();
      }
      this.kept.delete(part);
    }
  }
}

/** The cap on GPU memory: all pools of a device draw on one budget. */
import { RomoError } from './error.ts';
import type { Pool } from './memory.ts';

/** The bytes that all pools of a GPU may allocate together. */
export class Budget {
  /** bytes of all buffers, freed ones included */
  used = 0;
  /** pools whose freed buffers may be evicted */
  readonly pools = new Set<Pool>();

  constructor(public limit: number) {}

  /** Reserves the bytes, evicting freed buffers if needed. Throws `memory` if that does not free enough. */
  reserve(size: number, shape: readonly number[]): void {
    if (this.used + size > this.limit) for (const pool of this.pools) pool.evict();
    if (this.used + size > this.limit) {
      const problem = `a tensor [${shape}] of ${size} bytes does not fit: ${this.used} of ${this.limit} bytes are in use`;
      throw new RomoError('memory', problem, SMALLER);
    }
    this.used += size;
  }
}

export const SMALLER = 'Use a smaller batch.';

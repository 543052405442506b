/**
 * How much work may be queued at once. Systems reset a GPU that does not answer for about two seconds, and a browser
 * shares it with the screen. So a submit takes at most 0.2 s and a dispatch at most 0.5 s, as estimated from the operations
 * of each launch and the rate that the adapter has shown. Cuts change no bit: every workgroup computes what it did.
 */

/** Seconds. */
const SUBMIT = 0.2;
const DISPATCH = 0.5;

/** Operations per second of an adapter that has not been measured: less than any that trains a model. */
const UNKNOWN = 1e10;

/** Operations that take as long as reading or writing one element: GPUs compute faster than they load. */
export const PER_ELEMENT = 32;

/** GPUs that this process has lost. Each halves what is queued on those that are opened later. */
let losses = 0;

/** Measures how fast queued work is done, and says how much may be queued. */
export class Pace {
  /** operations per second */
  rate = UNKNOWN;
  private readonly share = 0.5 ** losses;
  private submitted = 0; // operations so far
  private finished = 0;
  private since = 0; // when the GPU was last known to begin with work or to have finished some, in ms

  /** The most operations of one submit. */
  get submitWork(): number {
    return SUBMIT * this.rate * this.share;
  }

  /** The most operations of one dispatch. */
  get dispatchWork(): number {
    return DISPATCH * this.rate * this.share;
  }

  /** So many operations are submitted now. */
  submit(operations: number): void {
    if (this.submitted === this.finished) this.since = performance.now();
    this.submitted += operations;
  }

  /**
   * Call before waiting for all that is submitted, and what it returns once that is done. Waits are longer than the work by
   * the way there and back, so short ones may only raise the rate; a single one at most doubles or halves it.
   */
  wait(): () => void {
    const awaited = this.submitted;
    return () => {
      const work = awaited - this.finished;
      if (work <= 0) return; // another wait has counted it
      const now = performance.now();
      const measured = work / Math.max(0.001, (now - this.since) / 1000);
      this.finished = awaited;
      this.since = now;
      const isLong = work > 0.5 * SUBMIT * this.rate;
      if (measured < this.rate && !isLong) return;
      this.rate = Math.min(2 * this.rate, Math.max(this.rate / 2, measured));
    };
  }

  /** The GPU was lost, perhaps because it did not answer in time. */
  static lost(): void {
    losses++;
  }
}

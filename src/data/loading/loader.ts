/** Reads, caches (up to a memory limit) and augments objects in this thread. Worker threads run the same code. */

import { contentHash } from '../../files/hash.ts';
import { fromBytes } from '../../files/pixels.ts';
import { RomoError } from '../../tensor/error.ts';
import type { FoundSplit } from '../sets/found.ts';
import type { ObjectReader, Origin, ReadOptions, StoredObject } from '../sets/object.ts';
import { openReader } from '../sets/readers.ts';
import { shown, shownView } from '../showing.ts';
import type { Sample, Showing } from '../types.ts';
import { Store } from './store.ts';

export type SplitName = 'train' | 'test';

/** All that a loader needs: plain data, so that it can be sent to a thread. */
export interface LoaderTask {
  readonly splits: Readonly<Record<SplitName, Pick<FoundSplit, 'plan' | 'ids'>>>;
  readonly options: ReadOptions;
  /** memory limit of the object cache */
  readonly keepBytes: number;
}

/** An object of a split. `index` is its number among the objects that training sees, and selects its random stream. */
export interface Request {
  readonly split: SplitName;
  /** index in the split's plan */
  readonly object: number;
  readonly index: number;
}

/** Origin and hash of an object, or why it cannot be read. */
export type Check = { readonly origin: Origin; readonly hash: string } | { readonly problem: RomoError };

export interface Loader {
  /** @param showing null: not augmented, with the first picture */
  load(requests: readonly Request[], showing: Showing | null): Promise<Sample[]>;
  /** Reads each object. A bad object gives a `problem`; all other errors are thrown. */
  check(requests: readonly Request[]): Promise<Check[]>;
  close(): Promise<void>;
}

export class LocalLoader implements Loader {
  private readonly readers: Partial<Record<SplitName, ObjectReader>> = {};
  private readonly kept: Store<StoredObject>;

  constructor(private readonly task: LoaderTask) {
    this.kept = new Store(task.keepBytes);
  }

  async load(requests: readonly Request[], showing: Showing | null): Promise<Sample[]> {
    const { imageSize, channels } = this.task.options;
    const samples: Sample[] = [];
    for (const request of requests) {
      const { views, cloud } = await this.read(request);
      const view = showing ? shownView(views.length, request.index, showing) : 0;
      const sample = { image: fromBytes(views[view]), cloud };
      samples.push(showing ? shown(sample, request.index, [imageSize, imageSize, channels], showing) : sample);
    }
    return samples;
  }

  async check(requests: readonly Request[]): Promise<Check[]> {
    const checks: Check[] = [];
    for (const request of requests) {
      try {
        const { origin, views, cloud } = await this.read(request);
        checks.push({ origin, hash: contentHash([views[0], cloud]) });
      } catch (cause) {
        if (!(cause instanceof RomoError)) throw cause;
        checks.push({ problem: cause });
      }
    }
    return checks;
  }

  async close(): Promise<void> {
    for (const reader of Object.values(this.readers)) await reader.close();
  }

  private async read({ split, object }: Request): Promise<StoredObject> {
    const key = `${split} ${object}`;
    const known = this.kept.get(key);
    if (known) return known;
    this.readers[split] ??= openReader(this.task.splits[split], this.task.options);
    const read = await this.readers[split].read(object);
    const bytes = read.views.reduce((sum, view) => sum + view.byteLength, read.cloud.byteLength);
    this.kept.set(key, read, bytes);
    return read;
  }
}

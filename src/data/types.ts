/** Types of data sets. Training gets pairs without labels; labels are kept separately, for evaluation only. */
import type { DATA_FIELDS, PREPARED_FIELDS, SET_FIELDS, Values } from './fields.ts';
import type { Origin } from './sets/object.ts';
import type { Sampling } from './subsample.ts';

/** One object, not augmented. */
export interface Sample {
  /** [H, W, C], values 0..1 */
  readonly image: Float32Array;
  /** [P, 3], normalised. P may differ between objects. The order is random, so any prefix is an unbiased subsample. */
  readonly cloud: Float32Array;
}

/** Objects that exist both as an image and as a point cloud. Training sees only this type, so it cannot read labels. */
export interface PairedData {
  readonly name: string;
  readonly length: number;
  /** Height, width, channels. */
  readonly imageShape: readonly [number, number, number];
  /** The object's id in files: stable for one specification and seed, unique within the split. */
  id(index: number): string;
  /**
   * Reads or generates objects on demand, with the same bits each time. The arrays belong to the data set; do not write
   * to them.
   */
  load(indices: ArrayLike<number>): Promise<Sample[]>;
  /**
   * The objects for training, in new arrays: augmented, with one of several pictures each. Without this method,
   * training augments the results of `load`.
   */
  show?(indices: ArrayLike<number>, showing: Showing): Promise<Sample[]>;
}

/** Class of each object, by index. Only evaluation uses this type. */
export interface Labels {
  readonly classNames: readonly string[];
  readonly values: Int32Array;
}

/** Pairs with their labels. */
export interface Split {
  readonly pairs: PairedData;
  readonly labels: Labels;
}

/** Axis (0 x, 1 y, 2 z) and largest angle by which the strong augmentation rotates clouds. */
export interface CloudRotation {
  readonly axis: 0 | 1 | 2;
  /** The angle is uniform in +-maxDegrees; 180 means any angle. */
  readonly maxDegrees: number;
}

/** How strongly objects are augmented. */
export type Strength = 'none' | 'mild' | 'strong';

/** How training sees an object, see `shown` in ./showing.ts. Plain data, so that it can be sent to a thread. */
export interface Showing extends Sampling {
  readonly seed: number;
  readonly stage: string;
  readonly epoch: number;
  readonly strength: Strength;
  readonly mirror: boolean;
  readonly rotation: CloudRotation;
}

/** Pairs with labels, or null if the classes are unknown. */
export interface AnySplit {
  readonly pairs: PairedData;
  readonly labels: Labels | null;
}

/** Objects for training, and objects held out for evaluation. Without labels, metrics that need them are left out. */
export interface DataSet {
  readonly name: string;
  readonly train: AnySplit;
  readonly test: AnySplit;
  /** Whether images may be mirrored; false for digits and letters. */
  readonly mirror: boolean;
  readonly rotation: CloudRotation;
}

/** A data set all of whose objects have labels. */
export interface LabelledDataSet extends DataSet {
  readonly train: Split;
  readonly test: Split;
}

/** An object that was left out. */
export interface Skipped {
  /** null if it was found before any object was read */
  readonly split: 'train' | 'test' | null;
  readonly id: string | null;
  /** file and problem */
  readonly reason: string;
}

/** Objects from files, each of which was read once without an error. */
export interface CheckedSplit extends AnySplit {
  readonly origins: readonly Origin[];
  /** of what the networks see of each object: it changes when a file, or the way of reading it, changes */
  readonly hashes: readonly string[];
}

/** The objects of a run by id, with their hashes, in order; and how to open them again. */
export interface KnownObjects {
  readonly train: ReadonlyMap<string, string>;
  readonly test: ReadonlyMap<string, string>;
  /** what was in the set then, but in neither split: bad objects, and those beyond the numbers of the run */
  readonly unused: ReadonlySet<string>;
  /** Is this the run's set? If false, it is where it has an object with the id and the hash of one of the run's. */
  readonly isCertain: boolean;
  /**
   * Objects of neither split to open as `others`: none; those that were added later; all, where a set has a split of
   * its own and the object is not new, within that.
   */
  readonly open: 'none' | 'later' | 'all';
}

/** A data set whose objects come from files. */
export interface CheckedData extends DataSet {
  readonly train: CheckedSplit;
  readonly test: CheckedSplit;
  /** Neither trained on nor held out by the run whose objects were given; empty if none were. */
  readonly others: CheckedSplit;
  readonly skipped: readonly Skipped[];
  readonly found: {
    readonly train: number;
    readonly test: number;
    /** all ids, in the order of the set */
    readonly ids: readonly string[];
    /** the set is divided by its folders or files, not by a draw */
    readonly hasSplit: boolean;
    readonly notes: readonly string[];
  };
  /** How this set differs from the one that the run knew; null if no run was given, or it knew another set. */
  readonly since: {
    readonly added: readonly string[];
    readonly missing: readonly string[];
    readonly changed: readonly string[];
  } | null;
  /** Ends the reading threads. Nothing can be loaded afterwards. */
  close(): Promise<void>;
}

/** Options of `openData`. */
export interface DataOptions
  extends Readonly<Values<typeof DATA_FIELDS>>,
    Readonly<Values<typeof SET_FIELDS>>,
    Readonly<Values<typeof PREPARED_FIELDS>> {
  /** Whether `train` and `test` are upper limits rather than required counts. Default: both required. */
  readonly fewerWillDo?: { readonly train: boolean; readonly test: boolean };
  /** Whether one of the splits may be empty. Default false. */
  readonly noneWillDo?: boolean;
  /** Opens the objects of a run instead of choosing some. Sets in files only. */
  readonly known?: KnownObjects | null;
  /** Clouds of fewer points are bad. Default 1. */
  readonly leastPoints?: number;
  /** Threads that read files; default 0, the calling thread reads. */
  readonly workers?: number;
  /** Folder in which rendered views are kept between runs; default null, none. */
  readonly cacheFolder?: string | null;
  /** Called occasionally while objects are generated or read. */
  readonly onProgress?: (done: number, total: number) => void;
}

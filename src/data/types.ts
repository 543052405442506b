/** What a data set offers: pairs without labels for training; the labels live apart, for evaluation only. */
import type { DATA_FIELDS, SET_FIELDS, Values } from './fields.ts';
import type { Origin } from './sets/object.ts';

/** One object, as it is: not augmented. */
export interface Sample {
  /** [H, W, C], values 0..1 */
  readonly image: Float32Array;
  /** [P, 3], normalised; P may differ between objects; in random order, so any prefix is a fair subsample. */
  readonly cloud: Float32Array;
}

/**
 * Objects that exist both as an image and as a point cloud. Training sees this and nothing else, so it cannot read a
 * label.
 */
export interface PairedData {
  readonly name: string;
  readonly length: number;
  /** Height, width, channels. */
  readonly imageShape: readonly [number, number, number];
  /** Names the object in files: stable for one specification and seed, unique within the split. */
  id(index: number): string;
  /**
   * Reads or makes objects when they are needed; the same bits each time. The arrays belong to the data set: do not write
   * to them.
   */
  load(indices: ArrayLike<number>): Promise<Sample[]>;
  /**
   * The objects as training wants to see them, in new arrays: augmented, of several pictures one. Without this method
   * training augments what `load` gives.
   */
  show?(indices: ArrayLike<number>, showing: Showing): Promise<Sample[]>;
}

/** Class of each object, by index. Only evaluation takes this type. */
export interface Labels {
  readonly classNames: readonly string[];
  readonly values: Int32Array;
}

/** Pairs with their labels. */
export interface Split {
  readonly pairs: PairedData;
  readonly labels: Labels;
}

/** By how much the strong augmentation may turn a cloud, and about which axis (0 x, 1 y, 2 z). */
export interface CloudRotation {
  readonly axis: 0 | 1 | 2;
  /** 180 means any angle: the angle is uniform between minus and plus this. */
  readonly maxDegrees: number;
}

/** How strongly objects are augmented. */
export type Strength = 'none' | 'mild' | 'strong';

/** How training is shown an object: `shown` in ./showing.ts. Plain data, so that it can be sent to a thread. */
export interface Showing {
  readonly seed: number;
  readonly stage: string;
  readonly epoch: number;
  readonly strength: Strength;
  readonly mirror: boolean;
  readonly rotation: CloudRotation;
  /** points that the network takes */
  readonly points: number;
}

/** Pairs with labels, or none where nothing says the classes. */
export interface AnySplit {
  readonly pairs: PairedData;
  readonly labels: Labels | null;
}

/** Objects to train on, and objects held out for the figures. Without labels, figures that need them are left out. */
export interface DataSet {
  readonly name: string;
  readonly train: AnySplit;
  readonly test: AnySplit;
  /** May images be mirrored? No for digits and letters. */
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
  /** null where it was found before anything was read */
  readonly split: 'train' | 'test' | null;
  readonly id: string | null;
  /** file and fault */
  readonly reason: string;
}

/** A data set whose objects come from files. Each of them was read once, without a fault. */
export interface CheckedData extends DataSet {
  readonly train: AnySplit & { readonly origins: readonly Origin[] };
  readonly test: AnySplit & { readonly origins: readonly Origin[] };
  readonly skipped: readonly Skipped[];
  readonly found: { readonly train: number; readonly test: number; readonly notes: readonly string[] };
  /** Ends the threads that read; then nothing can be loaded any more. */
  close(): Promise<void>;
}

/** How much of a data set is opened, and in which sizes. */
export interface DataOptions extends Readonly<Values<typeof DATA_FIELDS>>, Readonly<Values<typeof SET_FIELDS>> {
  /** Is `train` or `test` the most that is wanted, rather than how many must be there? Default no. */
  readonly fewerWillDo?: { readonly train: boolean; readonly test: boolean };
  /** Clouds of fewer points are bad. Default 1. */
  readonly leastPoints?: number;
  /** Threads that read files; default 0, the calling thread reads. */
  readonly workers?: number;
  /** Where rendered views are kept between runs; default null, nowhere. */
  readonly cacheFolder?: string | null;
  /** Called now and then while objects are made or read. */
  readonly onProgress?: (done: number, total: number) => void;
}

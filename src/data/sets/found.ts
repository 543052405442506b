/** Contents of a folder or a file, found before any object is read. Plain data, which is sent to worker threads. */
import { RomoError } from '../../tensor/error.ts';
import type { CloudRotation, Skipped } from '../types.ts';
import type { Hdf5Plan } from './mnist_hdf5.ts';
import type { DigitsPlan } from './mnist_idx.ts';
import type { MeshesPlan } from './modelnet.ts';
import type { FilesPlan } from './picture_files.ts';
import type { VoxelsPlan } from './voxels.ts';

/** How the objects of a split are read, see readers.ts. */
export type Plan = DigitsPlan | Hdf5Plan | FilesPlan | MeshesPlan | VoxelsPlan;

export interface FoundSplit {
  /** unique, one per object of the plan; rendered views are drawn by it */
  readonly ids: readonly string[];
  /** class of each object, or null if unknown */
  readonly labels: readonly number[] | null;
  readonly plan: Plan;
}

export interface FoundSet {
  readonly name: string;
  /** empty where there are not labels */
  readonly classNames: readonly string[];
  readonly mirror: boolean;
  readonly rotation: CloudRotation;
  /** channels of its pictures, the default if the user does not choose */
  readonly channels: 1 | 3;
  readonly train: FoundSplit;
  /** null: the test objects are taken from `train` */
  readonly test: FoundSplit | null;
  /** True for published sets, which are taken in file order; other sets are taken in a fixed random order. */
  readonly inOrder: boolean;
  /** unusable objects: a partner is missing, an id occurs twice */
  readonly bad: readonly RomoError[];
  /** for `--inspect`: what was ignored on purpose */
  readonly notes: readonly string[];
}

/** Too few objects remain. The reasons are kept, so that a command can list them. */
export class TooFewObjects extends RomoError {
  constructor(
    message: string,
    fix: string,
    readonly skipped: readonly Skipped[],
  ) {
    const first = skipped.length === 1 ? 'the bad object' : `the first of ${skipped.length} bad objects`;
    const reason = skipped[0]?.reason.replace(/\.$/, '');
    super('data', reason === undefined ? message : `${message}; ${first}: ${reason}`, fix);
  }
}

/** Objects that were found to be unusable before any of them was read. */
export const skippedOf = (bad: readonly RomoError[]): Skipped[] =>
  bad.map(({ message }) => ({ split: null, id: null, reason: message }));

/** The error of an unusable object, handled by `--on-bad`. */
export const badObject = (message: string, fix: string): RomoError => new RomoError('data', message, fix);

/** Class names in alphabetical order, and the class number of each object. */
export function numberClasses(names: readonly string[]): { classNames: string[]; labels: number[] } {
  const classNames = [...new Set(names)].sort();
  const numbers = new Map(classNames.map((name, number) => [name, number]));
  return { classNames, labels: names.map((name) => numbers.get(name) as number) };
}

/**
 * What looking through a folder or a file finds, before any object is read. Plain data: it is sent to worker threads.
 */
import { RomoError } from '../../tensor/error.ts';
import type { CloudRotation } from '../types.ts';
import type { Hdf5Plan } from './mnist_hdf5.ts';
import type { DigitsPlan } from './mnist_idx.ts';
import type { MeshesPlan } from './modelnet.ts';
import type { FilesPlan } from './picture_files.ts';
import type { VoxelsPlan } from './voxels.ts';

/** How the objects of a split are read, see readers.ts. */
export type Plan = DigitsPlan | Hdf5Plan | FilesPlan | MeshesPlan | VoxelsPlan;

export interface FoundSplit {
  /** unique, one per object of the plan; names its random streams, too */
  readonly ids: readonly string[];
  /** class of each object, or null where nothing says it */
  readonly labels: readonly number[] | null;
  readonly plan: Plan;
}

export interface FoundSet {
  readonly name: string;
  /** empty where there are not labels */
  readonly classNames: readonly string[];
  readonly mirror: boolean;
  readonly rotation: CloudRotation;
  /** channels of its pictures, where the user does not choose */
  readonly channels: 1 | 3;
  readonly train: FoundSplit;
  /** null: objects of `train` are to be held out */
  readonly test: FoundSplit | null;
  /** Published sets are taken from the first object on; of others a fixed random choice is taken. */
  readonly inOrder: boolean;
  /** what cannot become an object: a partner is missing, an id is there twice */
  readonly bad: readonly RomoError[];
  /** for `--inspect`: what was left aside on purpose */
  readonly notes: readonly string[];
}

/** An object that cannot be: a message for `--on-bad`. */
export const badObject = (message: string, fix: string): RomoError => new RomoError('data', message, fix);

/** Class names in alphabetical order, and the number of each object's. */
export function numberClasses(names: readonly string[]): { classNames: string[]; labels: number[] } {
  const classNames = [...new Set(names)].sort();
  const numbers = new Map(classNames.map((name, number) => [name, number]));
  return { classNames, labels: names.map((name) => numbers.get(name) as number) };
}

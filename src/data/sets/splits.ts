/** Finds the folders of published splits: train, val and test, in any case and at any depth. */
import { RomoError } from '../../tensor/error.ts';
import { badObject } from './found.ts';
import { listed, objectCount } from './walk.ts';

type Kind = 'train' | 'val' | 'test';

const KINDS: Readonly<Record<string, Kind>> = {
  train: 'train',
  training: 'train',
  val: 'val',
  valid: 'val',
  validation: 'val',
  test: 'test',
  testing: 'test',
};

/** The split that a folder's name means. */
export function kindOf(folderName: string): Kind | null {
  const name = folderName.toLowerCase();
  return Object.hasOwn(KINDS, name) ? KINDS[name] : null;
}

export interface Named {
  /** path relative to the folder of the set */
  readonly name: string;
}

/** An object whose path has the folder of a split at a position. */
export interface Marked<T> {
  readonly object: T;
  readonly at: number;
}

export type Placed<T> = T & {
  readonly split: 'train' | 'test';
  /** name without the folder of the split */
  readonly rest: string;
};

export interface Placing<T> {
  readonly placed: readonly Placed<T>[];
  /** Whether the test objects are a split of their own; otherwise they are taken from `train`. */
  readonly hasTest: boolean;
  readonly notes: readonly string[];
}

/**
 * Decides what the splits are used for. If there is no test split, the validation split is held out; otherwise the
 * validation split is left out.
 * @param more names of split folders of which no object is known
 * @throws RomoError `data` if there is no split to train on
 */
export function useSplits<T extends Named>(
  set: string,
  folder: string,
  objects: readonly Marked<T>[],
  more: Iterable<string> = [],
): Placing<T> {
  const names = new Set([...objects.map(({ object, at }) => object.name.split('/')[at]), ...more]);
  /** The folders of a kind, as they are spelled. */
  const spelled = (kind: Kind): string => {
    const own = [...names].filter((name) => kindOf(name) === kind).sort();
    return own.map((name) => `${name}/`).join(', ');
  };
  const [train, val, test] = [spelled('train'), spelled('val'), spelled('test')];
  if (!train) {
    throw new RomoError(
      'data',
      `${set}: ${folder} has ${[val, test].filter(Boolean).join(' and ')}, but no train/`,
      'Add train/. Or give a folder that contains only one of them: one object in five is then held out.',
    );
  }
  const heldOut = test ? 'test' : 'val';
  const placed: Placed<T>[] = [];
  for (const { object, at } of objects) {
    const parts = object.name.split('/');
    const kind = kindOf(parts[at]);
    if (kind !== 'train' && kind !== heldOut) continue;
    const rest = parts.filter((_, i) => i !== at).join('/');
    placed.push({ ...object, split: kind === 'train' ? 'train' : 'test', rest });
  }
  const notes: string[] = [];
  if (!test && !val) notes.push(`${train} has no test/ next to it: one object in five is held out`);
  if (!test && val) notes.push(`${val} is held out, since there is no test/`);
  if (test && val)
    notes.push(`${val} is left out (${objectCount(objects.length - placed.length)}), ${test} is held out`);
  return { placed, hasTest: Boolean(test || val), notes };
}

/**
 * Places objects in the splits that their folders name, at any depth. Without such folders all of them are in `train`.
 * @param objects at least one
 * @param others names of files that belong to no object
 * @param unlisted names of folders of unknown content
 * @returns and the objects outside of the splits
 */
export function placeInSplits<T extends Named>(
  set: string,
  folder: string,
  objects: readonly T[],
  others: readonly string[],
  unlisted: readonly string[],
): Placing<T> & { readonly outside: readonly T[] } {
  const depth = commonDepth(objects);
  const known = [...objects.map(({ name }) => name), ...unlisted.map((name) => `${name}/`)];
  const parents = splitParents(known, others);
  if (depth === null && parents.size === 0) {
    const placed = objects.map((object) => ({ ...object, split: 'train', rest: object.name }) as const);
    return { placed, outside: [], hasTest: false, notes: classesLikeSplits(objects) };
  }
  const marked: Marked<T>[] = [];
  const outside: T[] = [];
  for (const object of objects) {
    const folders = foldersOf(object.name);
    const at = depth ?? folders.findIndex((own, i) => kindOf(own) && parents.has(folders.slice(0, i).join('/')));
    if (at < 0) outside.push(object);
    else marked.push({ object, at });
  }
  return {
    ...useSplits(
      set,
      folder,
      marked,
      [...parents.values()].flatMap((names) => [...names]),
    ),
    outside,
  };
}

/** The error of an object outside of the splits. */
export const outsideSplits = (path: string): RomoError =>
  badObject(`${path} is outside of the train and test folders`, 'Move it into one of them, or out of the set.');

const foldersOf = (name: string): string[] => name.split('/').slice(0, -1);

/** The depth at which the folders of all objects are splits: for train/CLASS/NAME 0, for CLASS/train/NAME 1. */
function commonDepth(objects: readonly Named[]): number | null {
  const kindsAt = (at: number) => new Set(objects.map(({ name }) => kindOf(foldersOf(name)[at] ?? '')));
  const depths = foldersOf(objects[0].name).map((_, at) => at);
  const common = depths.filter((at) => !kindsAt(at).has(null));
  return common.find((at) => kindsAt(at).size > 1) ?? common[0] ?? null;
}

/**
 * Folders with a train folder and another split in them, and the names of these. One alone may be a class: trains are
 * vehicles.
 * @param known names of objects
 * @param others names that only add to the splits of objects
 */
function splitParents(known: readonly string[], others: readonly string[]): Map<string, Set<string>> {
  const parents = new Map<string, Set<string>>();
  const add = (name: string, isKnown: boolean): void => {
    const folders = foldersOf(name);
    folders.forEach((own, at) => {
      const parent = folders.slice(0, at).join('/');
      if (!kindOf(own) || !(isKnown || parents.has(parent))) return;
      parents.set(parent, (parents.get(parent) ?? new Set()).add(own));
    });
  };
  for (const name of known) add(name, true);
  for (const name of others) add(name, false);
  for (const [parent, names] of parents) {
    const kinds = new Set([...names].map(kindOf));
    if (!kinds.has('train') || kinds.size < 2) parents.delete(parent);
  }
  return parents;
}

function classesLikeSplits(objects: readonly Named[]): string[] {
  const names = new Set(objects.flatMap(({ name }) => foldersOf(name).filter(kindOf)));
  return names.size === 0 ? [] : [`read as classes, because other objects are in no split: ${listed([...names])}`];
}

/** Finds the objects of an earlier run in a set, by id. */
import type { Loader, LoaderTask, SplitName } from '../loading/loader.ts';
import type { KnownObjects } from '../types.ts';
import type { FoundSet } from './found.ts';

/** Where an object is: its number in the plan of a split. */
export interface Place {
  readonly split: SplitName;
  readonly object: number;
}

export interface KnownPlaces {
  readonly train: readonly Place[];
  readonly test: readonly Place[];
  readonly others: readonly Place[];
  /** ids that the set has, but did not have then */
  readonly added: readonly string[];
  /** ids that the set no longer has */
  readonly missing: readonly string[];
}

/** All objects of a set by id. A set without a split of its own has one plan. */
function placesOf({ train, test }: FoundSet): Map<string, Place> {
  const places = new Map<string, Place>();
  train.ids.forEach((id, object) => {
    places.set(id, { split: 'train', object });
  });
  test?.ids.forEach((id, object) => {
    places.set(id, { split: 'test', object });
  });
  return places;
}

export function findKnown(found: FoundSet, known: KnownObjects): KnownPlaces {
  const places = placesOf(found);
  const missing: string[] = [];
  const take = (ids: Iterable<string>): Place[] => {
    const taken: Place[] = [];
    for (const id of ids) {
      const place = places.get(id);
      if (place) taken.push(place);
      else missing.push(id);
    }
    return taken;
  };
  const splits = { train: take(known.train.keys()), test: take(known.test.keys()) };
  const others: Place[] = [];
  const added: string[] = [];
  for (const [id, place] of places) {
    if (known.train.has(id) || known.test.has(id)) continue;
    const isAdded = !known.unused.has(id);
    if (isAdded) added.push(id);
    if (known.open === 'none' || (known.open === 'later' && !isAdded)) continue;
    if (found.test && !isAdded) splits[place.split].push(place);
    else others.push(place);
  }
  return { ...splits, others, added, missing };
}

/** Objects to compare before a set counts as the run's: one that is equal is enough. */
const COMPARED = 16;

/** Is the set the one that a run knew, perhaps in another folder? */
export async function isSameSet(
  found: FoundSet,
  known: KnownObjects,
  { splits }: LoaderTask,
  loader: Loader,
): Promise<boolean> {
  if (known.isCertain) return true;
  const hashOf = ({ split, object }: Place): string | undefined => {
    const id = splits[split].ids[object];
    return known.train.get(id) ?? known.test.get(id);
  };
  const common = [...placesOf(found).values()].filter((place) => hashOf(place) !== undefined).slice(0, COMPARED);
  const checks = await loader.check(common.map((place) => ({ ...place, index: 0 })));
  return checks.some((check, i) => 'hash' in check && check.hash === hashOf(common[i]));
}

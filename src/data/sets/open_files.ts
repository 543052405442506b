/** Opens a data set that was found on disk: chooses objects, checks each once, and reads them on demand. Node only. */
import { summarize } from '../../files/remarks.ts';
import { RomoError } from '../../tensor/error.ts';
import { Random } from '../../tensor/random.ts';
import { type Check, type Loader, type LoaderTask, LocalLoader, type SplitName } from '../loading/loader.ts';
import type { CheckedData, CheckedSplit, DataOptions, KnownObjects, Labels, PairedData, Skipped } from '../types.ts';
import { type FoundSet, type FoundSplit, skippedOf, TooFewObjects } from './found.ts';
import { findKnown, isSameSet, type Place } from './known.ts';
import type { Origin, ReadOptions } from './object.ts';
import { usableCache } from './rendered_cache.ts';

/** Size of the object cache, in all threads together. */
const KEEP_BYTES = 512 * 2 ** 20;
/** If a set has no test split and the user gives no number, one object in five is held out. */
const HELD_OUT_SHARE = 5;
/** Objects per check request. */
const PORTION = 64;

interface Chosen {
  readonly name: SplitName | 'other';
  /** in the order in which they are taken */
  readonly candidates: readonly Place[];
  readonly wanted: number;
  /** how many of the candidates the other split needs at least */
  readonly reserved: number;
  /** whether fewer objects are acceptable, and none */
  readonly fewer: boolean;
  readonly none: boolean;
}

export async function openFound(
  found: FoundSet,
  options: DataOptions & { readonly background: number },
): Promise<CheckedData> {
  const { onBad = 'fail', workers = 0 } = options;
  const isRendered = ['meshes', 'voxels'].includes(found.train.plan.kind);
  const cache = await usableCache(isRendered ? (options.cacheFolder ?? null) : null);
  const read: ReadOptions = {
    imageSize: options.imageSize,
    channels: options.channels ?? found.channels,
    background: options.background,
    points: options.points,
    leastPoints: options.leastPoints ?? 1,
    seed: options.seed,
    up: options.up ?? 'z',
    views: options.views ?? 1,
    cacheFolder: cache.folder,
  };
  const task: LoaderTask = {
    splits: { train: found.train, test: found.test ?? found.train },
    options: read,
    keepBytes: KEEP_BYTES,
  };
  const loader = await openLoader(task, workers);
  try {
    const isKnown = options.known ? await isSameSet(found, options.known, task, loader) : false;
    const known = isKnown ? (options.known as KnownObjects) : null;
    // A bad object that the run does not need cannot harm it.
    if (found.bad.length > 0 && onBad === 'fail' && known?.open !== 'none') throw refusal(found.bad);
    const skipped: Skipped[] = skippedOf(found.bad);
    let done = 0;
    const places = known && findKnown(found, known);
    const total = places
      ? places.train.length + places.test.length + places.others.length
      : Math.min(options.train + options.test, found.train.ids.length + (found.test?.ids.length ?? 0));
    const checked = async (choice: Chosen): Promise<Checked> => {
      const result = await check(choice, task, loader, onBad, skipped, (own) =>
        options.onProgress?.(done + own, total),
      );
      done += result.good.length;
      return result;
    };
    const chosen = async (choice: Chosen): Promise<Checked> => {
      const { good, examined } = await checked(choice);
      return { good: [...good].sort((a, b) => a.place.object - b.place.object), examined };
    };
    const again = (name: Chosen['name'], candidates: readonly Place[]) =>
      checked({ name, candidates, wanted: candidates.length, reserved: 0, fewer: true, none: true });
    const test = places ? await again('test', places.test) : await chosen(chooseTest(found, options));
    const train = places
      ? await again('train', places.train)
      : await chosen(chooseTrain(found, options, found.test ? [] : test.examined));
    const others = await again('other', places?.others ?? []);
    if (train.good.length + test.good.length + others.good.length === 0) {
      throw nothingThere(found, skipped);
    }
    const idOf = ({ split, object }: Place) => task.splits[split].ids[object];
    const splitOf = ({ good }: Checked, name: Chosen['name']): CheckedSplit => {
      const own = good.map(({ place }) => place);
      return {
        pairs: new FilePairs(`${found.name} ${name}`, own.map(idOf), own, read, loader),
        labels: found.train.labels && labelsOf(found, own),
        origins: good.map(({ origin }) => origin),
        hashes: good.map(({ hash }) => hash),
      };
    };
    const opened = { train: splitOf(train, 'train'), test: splitOf(test, 'test') };
    const ids = [...found.train.ids, ...(found.test?.ids ?? [])];
    return {
      name: found.name,
      ...opened,
      others: splitOf(others, 'other'),
      mirror: found.mirror,
      rotation: found.rotation,
      found: {
        train: found.test ? found.train.ids.length : ids.length - test.examined.length,
        test: found.test ? found.test.ids.length : test.good.length,
        ids,
        hasSplit: found.test !== null,
        notes: [...found.notes, ...cache.notes, ...remarksOn([train, test, others])],
      },
      since: known && places && { added: places.added, missing: places.missing, changed: changedIn(known, opened) },
      skipped,
      close: () => loader.close(),
    };
  } catch (error) {
    await loader.close();
    throw error;
  }
}

/** The ids of objects that are not as the run knew them. */
function changedIn(known: KnownObjects, opened: Record<SplitName, CheckedSplit>): string[] {
  return (['train', 'test'] as const).flatMap((name) =>
    opened[name].hashes.flatMap((hash, i) => {
      const id = opened[name].pairs.id(i);
      const before = known[name].get(id);
      return before !== undefined && before !== hash ? [id] : [];
    }),
  );
}

async function openLoader(task: LoaderTask, workers: number): Promise<Loader> {
  if (workers === 0) return new LocalLoader(task);
  const { WorkerPool } = await import('../loading/pool.ts');
  return new WorkerPool(task, workers);
}

function refusal(bad: readonly RomoError[]): RomoError {
  const [{ code, message }] = bad;
  const more = bad.length > 1 ? ` (and ${bad.length - 1} more like it)` : '';
  return new RomoError(code, `${message.replace(/\.$/, '')}${more}`, 'Or skip such objects with --on-bad skip.');
}

/** All objects of a split, in the order in which they are taken. */
function order(found: FoundSet, name: SplitName, { ids }: FoundSplit): number[] {
  if (found.inOrder) return ids.map((_, index) => index);
  // Independent of the run's seed, so that runs with several seeds are compared on the same objects.
  return [...new Random(0, 'choice', found.name, name).permutation(ids.length)];
}

function chooseTest(found: FoundSet, { test, fewerWillDo, noneWillDo = false, known }: DataOptions): Chosen {
  const fewer = fewerWillDo?.test ?? false;
  const from = found.test ?? found.train;
  const share = Math.max(1, Math.floor(from.ids.length / HELD_OUT_SHARE));
  // A run has trained on nothing of a set that it does not know, so that nothing must be kept for training.
  const wanted = !found.test && fewer && !known ? Math.min(test, share) : test;
  const candidates = order(found, found.test ? 'test' : 'train', from).map(
    (object): Place => ({ split: 'test', object }),
  );
  return { name: 'test', candidates, wanted, reserved: found.test ? 0 : 1, fewer, none: noneWillDo };
}

/** @param taken objects that are held out or were found to be bad */
function chooseTrain(
  found: FoundSet,
  { train, fewerWillDo, noneWillDo = false }: DataOptions,
  taken: readonly Place[],
): Chosen {
  const others = new Set(taken.map(({ object }) => object));
  const candidates = order(found, 'train', found.train).filter((object) => !others.has(object));
  return {
    name: 'train',
    candidates: candidates.map((object): Place => ({ split: 'train', object })),
    wanted: train,
    reserved: 0,
    fewer: fewerWillDo?.train ?? false,
    none: noneWillDo,
  };
}

/** What the readers left out or changed in the objects that are used. */
function remarksOn(checked: readonly Checked[]): string[] {
  return summarize(checked.flatMap(({ good }) => good.map(({ origin: { remarks } }) => remarks ?? {})));
}

interface Checked {
  readonly good: readonly { readonly place: Place; readonly origin: Origin; readonly hash: string }[];
  /** all candidates read, good and bad */
  readonly examined: readonly Place[];
}

/** Reads candidates until there are enough good ones. */
async function check(
  { name, candidates, wanted, reserved, fewer, none }: Chosen,
  { splits }: LoaderTask,
  loader: Loader,
  onBad: 'fail' | 'skip',
  skipped: Skipped[],
  onProgress: (done: number) => void,
): Promise<Checked> {
  const good: Checked['good'][number][] = [];
  const idOf = ({ split, object }: Place) => splits[split].ids[object];
  if (candidates.length < wanted && !fewer) throw tooFew(name, wanted, candidates.length, reserved, skipped);
  let next = 0;
  while (next < candidates.length && good.length < wanted) {
    const portion = candidates.slice(next, next + Math.min(PORTION, wanted - good.length));
    next += portion.length;
    const checks: Check[] = await loader.check(portion.map((place) => ({ ...place, index: 0 })));
    checks.forEach((result, i) => {
      if ('origin' in result) {
        good.push({ place: portion[i], ...result });
        return;
      }
      const { problem } = result;
      if (onBad === 'fail') throw refusal([problem]);
      skipped.push({ split: name === 'other' ? null : name, id: idOf(portion[i]), reason: problem.message });
    });
    onProgress(good.length);
  }
  if ((good.length === 0 && !none) || (good.length < wanted && !fewer)) {
    throw tooFew(name, fewer ? null : wanted, good.length, reserved, skipped);
  }
  return { good, examined: candidates.slice(0, next) };
}

/** @param wanted null if the user named no number, so that asking for fewer would not help */
function tooFew(
  name: Chosen['name'],
  wanted: number | null,
  there: number,
  reserved: number,
  skipped: readonly Skipped[],
): TooFewObjects {
  const kind = name === 'train' ? 'training' : 'test';
  const message =
    wanted === null
      ? `there are no ${kind} objects`
      : `${wanted} ${kind} objects are requested, but there are ${there}`;
  const mend = skipped.length > 0 ? 'Mend the bad ones, which node dist/train.js --inspect lists.' : 'Add some.';
  return new TooFewObjects(
    message,
    there > reserved ? `Ask for at most ${there - reserved} with --${name}.` : mend,
    skipped,
  );
}

function nothingThere({ name }: FoundSet, skipped: readonly Skipped[]): TooFewObjects {
  return new TooFewObjects(`${name}: there are no objects to read`, 'Correct the files, or add some.', skipped);
}

function labelsOf({ classNames, train, test }: FoundSet, places: readonly Place[]): Labels {
  const labels = { train: train.labels, test: (test ?? train).labels };
  return { classNames, values: Int32Array.from(places, ({ split, object }) => labels[split]?.[object] ?? 0) };
}

class FilePairs implements PairedData {
  readonly length: number;
  readonly imageShape: readonly [number, number, number];

  constructor(
    readonly name: string,
    private readonly ids: readonly string[],
    private readonly places: readonly Place[],
    { imageSize, channels }: ReadOptions,
    private readonly loader: Loader,
  ) {
    this.length = places.length;
    this.imageShape = [imageSize, imageSize, channels];
  }

  id(index: number): string {
    return this.ids[index];
  }

  load(indices: ArrayLike<number>) {
    return this.loader.load(this.requests(indices), null);
  }

  show(indices: ArrayLike<number>, showing: Parameters<NonNullable<PairedData['show']>>[1]) {
    return this.loader.load(this.requests(indices), showing);
  }

  private requests(indices: ArrayLike<number>) {
    return Array.from(indices, (index) => ({ ...this.places[index], index }));
  }
}

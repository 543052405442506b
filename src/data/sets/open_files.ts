/** Opens a data set that was found on disk: chooses objects, checks each once, and reads them on demand. Node only. */
import { summarize } from '../../files/remarks.ts';
import { RomoError } from '../../tensor/error.ts';
import { Random } from '../../tensor/random.ts';
import { type Check, type Loader, type LoaderTask, LocalLoader, type SplitName } from '../loading/loader.ts';
import type { CheckedData, DataOptions, Labels, PairedData, Skipped } from '../types.ts';
import { type FoundSet, type FoundSplit, skippedOf, TooFewObjects } from './found.ts';
import type { Origin, ReadOptions } from './object.ts';
import { usableCache } from './rendered_cache.ts';

/** Size of the object cache, in all threads together. */
const KEEP_BYTES = 512 * 2 ** 20;
/** If a set has no test split and the user gives no number, one object in five is held out. */
const HELD_OUT_SHARE = 5;
/** Objects per check request. */
const PORTION = 64;

interface Chosen {
  readonly name: SplitName;
  readonly from: FoundSplit;
  /** indices in the plan, in the order in which they are taken */
  readonly candidates: readonly number[];
  readonly wanted: number;
  /** how many of the candidates the other split needs at least */
  readonly reserved: number;
  /** whether fewer objects are acceptable */
  readonly fewer: boolean;
}

export async function openFound(
  found: FoundSet,
  options: DataOptions & { readonly background: number },
): Promise<CheckedData> {
  const { onBad = 'fail', workers = 0 } = options;
  if (found.bad.length > 0 && onBad === 'fail') throw refusal(found.bad);
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
  const test = chooseTest(found, options);
  const task: LoaderTask = { splits: { train: found.train, test: test.from }, options: read, keepBytes: KEEP_BYTES };
  const loader = await openLoader(task, workers);
  try {
    const total = options.train + options.test;
    const skipped: Skipped[] = skippedOf(found.bad);
    const checkedTest = await check(test, loader, onBad, skipped, (done) => options.onProgress?.(done, total));
    const train = chooseTrain(found, options, found.test ? [] : checkedTest.examined);
    const before = checkedTest.objects.length;
    const checkedTrain = await check(train, loader, onBad, skipped, (done) =>
      options.onProgress?.(before + done, total),
    );
    const split = ({ objects, origins }: Checked, { name, from }: Chosen) => ({
      pairs: new FilePairs(`${found.name} ${name}`, name, from.ids, objects, read, loader),
      labels: from.labels && labelsOf(found.classNames, from.labels, objects),
      origins,
    });
    return {
      name: found.name,
      train: split(checkedTrain, train),
      test: split(checkedTest, test),
      mirror: found.mirror,
      rotation: found.rotation,
      found: {
        train: train.candidates.length,
        test: found.test ? test.candidates.length : before,
        notes: [...found.notes, ...cache.notes, ...remarksOn([checkedTrain, checkedTest])],
      },
      skipped,
      close: () => loader.close(),
    };
  } catch (error) {
    await loader.close();
    throw error;
  }
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

function chooseTest(found: FoundSet, { test, fewerWillDo }: DataOptions): Chosen {
  const fewer = fewerWillDo?.test ?? false;
  const from = found.test ?? found.train;
  const share = Math.max(1, Math.floor(from.ids.length / HELD_OUT_SHARE));
  const wanted = !found.test && fewer ? Math.min(test, share) : test;
  return {
    name: 'test',
    from,
    candidates: order(found, found.test ? 'test' : 'train', from),
    wanted,
    reserved: found.test ? 0 : 1,
    fewer,
  };
}

/** @param taken objects that are held out or were found to be bad */
function chooseTrain(found: FoundSet, { train, fewerWillDo }: DataOptions, taken: readonly number[]): Chosen {
  const others = new Set(taken);
  const candidates = order(found, 'train', found.train).filter((object) => !others.has(object));
  return {
    name: 'train',
    from: found.train,
    candidates,
    wanted: train,
    reserved: 0,
    fewer: fewerWillDo?.train ?? false,
  };
}

/** What the readers left out or changed in the objects that are used. */
function remarksOn(checked: readonly Checked[]): string[] {
  return summarize(checked.flatMap(({ origins }) => origins.map(({ remarks }) => remarks ?? {})));
}

interface Checked {
  /** indices in the plan */
  readonly objects: number[];
  readonly origins: Origin[];
  /** indices of all candidates read, good and bad */
  readonly examined: readonly number[];
}

/** Reads candidates until there are enough good ones. */
async function check(
  { name, from, candidates, wanted, reserved, fewer }: Chosen,
  loader: Loader,
  onBad: 'fail' | 'skip',
  skipped: Skipped[],
  onProgress: (done: number) => void,
): Promise<Checked> {
  const good: { object: number; origin: Origin }[] = [];
  if (candidates.length < wanted && !fewer) throw tooFew(name, wanted, candidates.length, reserved, skipped);
  let next = 0;
  while (next < candidates.length && good.length < wanted) {
    const portion = candidates.slice(next, next + Math.min(PORTION, wanted - good.length));
    next += portion.length;
    const checks: Check[] = await loader.check(portion.map((object) => ({ split: name, object, index: 0 })));
    checks.forEach((result, i) => {
      if ('origin' in result) {
        good.push({ object: portion[i], origin: result.origin });
        return;
      }
      const { problem } = result;
      if (onBad === 'fail') throw refusal([problem]);
      skipped.push({ split: name, id: from.ids[portion[i]], reason: problem.message });
    });
    onProgress(good.length);
  }
  if (good.length === 0 || (good.length < wanted && !fewer)) {
    throw tooFew(name, fewer ? null : wanted, good.length, reserved, skipped);
  }
  good.sort((a, b) => a.object - b.object);
  return {
    objects: good.map(({ object }) => object),
    origins: good.map(({ origin }) => origin),
    examined: candidates.slice(0, next),
  };
}

/** @param wanted null if the user named no number, so that asking for fewer would not help */
function tooFew(
  name: SplitName,
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

function labelsOf(classNames: readonly string[], labels: readonly number[], objects: readonly number[]): Labels {
  return { classNames, values: Int32Array.from(objects, (object) => labels[object]) };
}

class FilePairs implements PairedData {
  readonly length: number;
  readonly imageShape: readonly [number, number, number];

  constructor(
    readonly name: string,
    private readonly split: SplitName,
    private readonly ids: readonly string[],
    private readonly objects: readonly number[],
    { imageSize, channels }: ReadOptions,
    private readonly loader: Loader,
  ) {
    this.length = objects.length;
    this.imageShape = [imageSize, imageSize, channels];
  }

  id(index: number): string {
    return this.ids[this.objects[index]];
  }

  load(indices: ArrayLike<number>) {
    return this.loader.load(this.requests(indices), null);
  }

  show(indices: ArrayLike<number>, showing: Parameters<NonNullable<PairedData['show']>>[1]) {
    return this.loader.load(this.requests(indices), showing);
  }

  private requests(indices: ArrayLike<number>) {
    return Array.from(indices, (index) => ({ split: this.split, object: this.objects[index], index }));
  }
}

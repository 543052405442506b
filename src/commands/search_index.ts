/** `search.js index`: brings a gallery into step with a collection, in portions; what has not changed is skipped. */
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { ALL } from '../data/fields.ts';
import type { Axis } from '../data/prepare.ts';
import { counted } from '../files/remarks.ts';
import type { Config } from '../romo/config.ts';
import type { LoadedEncoders } from '../romo/run/model_file.ts';
import type { Gallery } from '../search/gallery.ts';
import { openGallery } from '../search/open.ts';
import { OtherModel } from '../search/stamp.ts';
import { openDevice } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { openRunData } from './data.ts';
import { deviceOptions, type GivenDevice } from './device.ts';
import { changesOf, DRAWN_AGAIN, knownObjects, sourceOf } from './run_split.ts';
import { type Collection, collectionOf, type SplitChoice } from './search_collection.ts';
import { loadModelFile, type ModelFile, readModelFile, stampOf } from './search_model.ts';
import { compare, embedInto, type Plan } from './search_step.ts';

const ANY_NUMBER = { fewerWillDo: { train: true, test: true }, noneWillDo: true };

export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** `2/8`: the third of eight shards, counted from 0 as in Kubernetes and Slurm. */
export function parseShard(text: string): Shard {
  const [index, count] = text.split('/').map((part) => (/^\d+$/.test(part) ? Number(part) : Number.NaN));
  if (index < count && text.split('/').length === 2) return { index, count };
  throw new RomoError('option', `--shard ${text} is not understood`, 'Write i/n with i from 0 to n - 1, such as 0/4.');
}

interface IndexOptions extends GivenDevice {
  readonly to: string;
  readonly data?: string;
  readonly train?: number;
  readonly test?: number;
  readonly split: SplitChoice;
  readonly shard?: Shard;
  readonly up?: Axis;
  readonly source?: string;
  readonly sync?: boolean;
  readonly onBad?: 'fail' | 'skip';
  readonly hnsw?: boolean;
  readonly half?: boolean;
  readonly shards?: readonly string[];
  readonly thumbnails: boolean;
  readonly quiet?: boolean;
}

export async function indexCollection(run: string, command: Command): Promise<void> {
  const options = command.opts<IndexOptions>();
  const file = readModelFile(run);
  const gpu = await openDevice(deviceOptions(options));
  try {
    const model = loadModelFile(gpu, file);
    const { up = model.preparation.up } = options;
    const config = configOf(model, options, up);
    const open = options.data === undefined ? 'later' : 'all';
    const known = knownObjects(dirname(file.path), model.config, options.data, open);
    const { data, skipped, close } = await openRunData(config, command, { ...ANY_NUMBER, known });
    try {
      const isRuns = known === null || ('found' in data && data.since !== null);
      if (known === null && 'found' in data) process.stderr.write(`warning: ${DRAWN_AGAIN}\n`);
      const since = 'found' in data ? changesOf(data.since) : [];
      for (const change of since) process.stderr.write(`${config.data}: ${change}\n`);
      const collection = collectionOf(data, skipped, isRuns, options, config.data);
      const { shards, half } = options;
      const gallery = await openGallery(options.to, stampOf(file, model, up), async () => gpu, {
        shards,
        numbers: half ? 'f16' : undefined,
      }).catch((cause) => {
        throw cause instanceof OtherModel ? withCommand(cause, run, file, options) : cause;
      });
      try {
        await step(gallery, model, collection, options, options.source ?? sourceOf(config.data));
      } finally {
        await gallery.close();
      }
    } finally {
      await close();
    }
  } finally {
    gpu.close();
  }
}

function configOf(model: LoadedEncoders, { data, train, test, onBad }: IndexOptions, up: Axis): Config {
  const config = { ...model.config };
  if (data !== undefined) {
    // Built-in shapes are endless: without a number, as many as the run had.
    const all = data === 'shapes' ? config : { train: ALL, test: ALL };
    Object.assign(config, { data, set: {}, train: train ?? all.train, test: test ?? all.test });
  } else if (train !== undefined || test !== undefined) {
    throw new RomoError('option', '--train and --test belong to --data', 'Leave them out: the run has its objects.');
  }
  const { channels, background } = model.preparation;
  config.set = { ...config.set, channels, background, up, ...(onBad && { onBad }) };
  return config;
}

/** Brings the gallery into step, and says what it did. */
async function step(
  gallery: Gallery,
  model: LoadedEncoders,
  collection: Collection,
  { to, thumbnails, sync, hnsw, shard = { index: 0, count: 1 }, quiet = false }: IndexOptions,
  source: string,
): Promise<void> {
  const items = collection.items.filter((_, i) => i % shard.count === shard.index);
  const plan = await compare(gallery, items, collection, source);
  const { embed, added, renewed, same, gone } = plan;
  const say = (text: string) => process.stdout.write(`${text}\n`);
  if (!quiet && embed.length > 0) {
    say(`${counted(embed.length, 'object')} to embed: ${added} new, ${renewed} changed; ${same} are there already`);
  }
  await embedInto(gallery, model, embed, { source, thumbnails, quiet, data: collection.data });
  const removed = sync ? gone : [];
  if (removed.length > 0) await gallery.remove(removed, source);
  if (hnsw && 'buildIndex' in gallery) await (gallery.buildIndex as () => Promise<void>)();
  const { images, points, sources } = await gallery.info();
  const left = collection.bad > 0 ? `; ${counted(collection.bad, 'bad object')} left out` : '';
  say(`${counted(embed.length, 'object')} embedded, ${same} were there already${left}`);
  say(`${to}: ${counted(images, 'image')}, ${counted(points, 'cloud')}`);
  say(summary(plan, removed.length, source, sync));
  const older = source !== '' && sources.find((one) => one.source === '');
  if (older) {
    say(
      `${older.images} objects of ${to} have no source, as older versions wrote them: if they are of this collection,`,
    );
    say(`run this again with --source "" to bring them into step, or index into a new gallery`);
  }
}

function summary({ added, renewed, same, gone }: Plan, removed: number, source: string, sync = false): string {
  const rest = !sync && gone.length > 0 ? `; ${gone.length} no longer in ${source}: --sync removes them` : '';
  return `added ${added}, renewed ${renewed}, removed ${removed}, same ${same}${rest}`;
}

/** The error, with the command that makes a gallery with this model. */
function withCommand(
  { message, fix }: OtherModel,
  run: string,
  { sha256 }: ModelFile,
  options: IndexOptions,
): RomoError {
  const quoted = (word: string) => (/^[\w./:=@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
  const name = sha256.slice(0, 8);
  const isDatabase = /^(pglite|postgres|postgresql):/.test(options.to);
  const to = isDatabase
    ? `${options.to.split('?')[0]}?schema=romo_${name}`
    : `${options.to.replace(/\/+$/, '')}-${name}`;
  const data = options.data === undefined ? [] : ['--data', options.data];
  const words = ['node', 'dist/search.js', 'index', run, ...data, '--to', to];
  return new RomoError('gallery', message.replace(`. ${fix}`, ''), `Make a new one: ${words.map(quoted).join(' ')}`);
}

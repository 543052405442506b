/** `search.js index`: embeds a collection into a gallery, in portions; objects that are already there are skipped. */
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { viewOf } from '../data/cloud_view.ts';
import { ALL } from '../data/fields.ts';
import type { Axis } from '../data/prepare.ts';
import type { AnySplit, DataSet, PairedData } from '../data/types.ts';
import { cloudPicture, imagePicture } from '../report/pictures.ts';
import { embedAll } from '../romo/embedding.ts';
import type { LoadedEncoders } from '../romo/run/model_file.ts';
import type { Entry, Gallery, Metadata } from '../search/gallery.ts';
import { openGallery } from '../search/open.ts';
import { openDevice } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { openRunData } from './data.ts';
import { deviceOptions, type GivenDevice } from './device.ts';
import { loadModelFile, readModelFile, stampOf } from './search_model.ts';

const LESS_WILL_DO = { train: true, test: true };
/** Objects per portion: the most that an interruption loses. */
const PORTION = 200;

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

/** The objects of both splits that belong to a shard. */
interface Item {
  readonly split: AnySplit;
  readonly index: number;
}

function itemsOf(data: DataSet, splits: 'train' | 'test' | 'all', { index, count }: Shard): Item[] {
  const chosen = splits === 'all' ? [data.train, data.test] : [data[splits]];
  const items = chosen.flatMap((split) => Array.from({ length: split.pairs.length }, (_, i) => ({ split, index: i })));
  return items.filter((_, i) => i % count === index);
}

/** Some objects of a split as a data set. */
const subset = (pairs: PairedData, indices: readonly number[]): PairedData => ({
  name: pairs.name,
  length: indices.length,
  imageShape: pairs.imageShape,
  id: (i) => pairs.id(indices[i]),
  load: (wanted) => pairs.load(Array.from(wanted, (i) => indices[i])),
});

interface IndexOptions extends GivenDevice {
  readonly to: string;
  readonly data?: string;
  readonly split: 'train' | 'test' | 'all';
  readonly shard?: Shard;
  readonly up?: Axis;
  readonly onBad?: 'fail' | 'skip';
  readonly hnsw?: boolean;
  readonly thumbnails: boolean;
  readonly quiet?: boolean;
}

export async function indexCollection(run: string, command: Command): Promise<void> {
  const options = command.opts<IndexOptions>();
  const { shard = { index: 0, count: 1 } } = options;
  const file = readModelFile(run);
  const gpu = await openDevice(deviceOptions(options));
  try {
    const model = loadModelFile(gpu, file);
    const config = { ...model.config };
    const { channels, background, up: usual } = model.preparation;
    const { up = usual } = options;
    if (options.data !== undefined) Object.assign(config, { data: options.data, set: {}, train: ALL, test: ALL });
    config.set = { ...config.set, channels, background, up };
    if (options.onBad) config.set = { ...config.set, onBad: options.onBad };
    const { data, skipped, close } = await openRunData(config, command, LESS_WILL_DO);
    try {
      const gallery = await openGallery(options.to, stampOf(file, model, up), async () => gpu);
      try {
        const items = itemsOf(data, options.split, shard);
        const written = await fill(gallery, model, data, items, options);
        if (options.hnsw && 'buildIndex' in gallery) await (gallery.buildIndex as () => Promise<void>)();
        const { images, points } = await gallery.info();
        const left = skipped.length > 0 ? `; ${skipped.length} bad objects left out` : '';
        process.stdout.write(`${written} objects embedded, ${items.length - written} were there already${left}\n`);
        process.stdout.write(`${options.to}: ${images} images, ${points} clouds\n`);
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

/** @returns how many objects were added */
async function fill(
  gallery: Gallery,
  model: LoadedEncoders,
  data: DataSet,
  items: readonly Item[],
  { thumbnails, quiet }: IndexOptions,
): Promise<number> {
  const format = 'embedding [{bar}] {value} of {total} objects | {eta_formatted} left';
  const bar = process.stdout.isTTY && !quiet ? new SingleBar({ format, hideCursor: true }) : null;
  bar?.start(items.length, 0);
  let written = 0;
  try {
    for (let start = 0; start < items.length; start += PORTION) {
      const portion = items.slice(start, start + PORTION);
      for (const split of new Set(portion.map((item) => item.split))) {
        const indices = await missing(gallery, split, portion);
        if (indices.length === 0) continue;
        await gallery.upsert(await entriesOf(model, data, split, indices, thumbnails));
        written += indices.length;
      }
      bar?.update(start + portion.length);
    }
  } finally {
    bar?.stop();
  }
  return written;
}

async function missing(gallery: Gallery, split: AnySplit, portion: readonly Item[]): Promise<number[]> {
  const indices = portion.filter((item) => item.split === split).map(({ index }) => index);
  const ids = indices.map((index) => split.pairs.id(index));
  const [images, clouds] = [await gallery.present(ids, 'image'), await gallery.present(ids, 'points')];
  return indices.filter((_, i) => !(images.has(ids[i]) && clouds.has(ids[i])));
}

async function entriesOf(
  { encoders, config }: LoadedEncoders,
  data: DataSet,
  { pairs, labels }: AnySplit,
  indices: readonly number[],
  thumbnails: boolean,
): Promise<Entry[]> {
  const own = subset(pairs, indices);
  const { images, clouds, dimension } = await embedAll(encoders.gpu, encoders, own, config, data.rotation);
  const samples = thumbnails ? await pairs.load(indices) : [];
  const split: Metadata = { split: pairs === data.train.pairs ? 'train' : 'test' };
  const view = viewOf(data.rotation);
  const entries = indices.map(async (index, i): Promise<Entry[]> => {
    const plain: Metadata = labels ? { ...split, category: labels.classNames[labels.values[index]] } : split;
    const { image, cloud } = samples[i] ?? {};
    const row = (rows: Float32Array) => rows.slice(i * dimension, (i + 1) * dimension);
    const shown = async (picture: Promise<string> | undefined): Promise<Metadata> =>
      picture ? { ...plain, thumbnail: await picture } : plain;
    const id = pairs.id(index);
    return [
      {
        id,
        modality: 'image',
        vector: row(images),
        metadata: await shown(image && imagePicture(image, pairs.imageShape)),
      },
      { id, modality: 'points', vector: row(clouds), metadata: await shown(cloud && cloudPicture(cloud, view)) },
    ];
  });
  return (await Promise.all(entries)).flat();
}

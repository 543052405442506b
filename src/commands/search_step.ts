/** Brings a gallery into step with a collection: what is missing or has changed, and its embedding. */
import { viewOf } from '../data/cloud_view.ts';
import type { DataSet, PairedData } from '../data/types.ts';
import { cloudPicture, imagePicture } from '../report/pictures.ts';
import { embedAll } from '../romo/embedding.ts';
import type { LoadedEncoders } from '../romo/run/model_file.ts';
import type { Entry, Gallery, Metadata } from '../search/gallery.ts';
import { Progress } from './progress.ts';
import type { Collection, Item } from './search_collection.ts';

/** Objects per portion: the most that an interruption loses. */
const PORTION = 200;

/** What has to be done. */
export interface Plan {
  readonly embed: readonly Item[];
  readonly added: number;
  readonly renewed: number;
  readonly same: number;
  /** ids that the gallery has from this source, and the source no longer has */
  readonly gone: readonly string[];
}

export async function compare(
  gallery: Gallery,
  items: readonly Item[],
  { ids }: Collection,
  source: string,
): Promise<Plan> {
  const embed: Item[] = [];
  let renewed = 0;
  for (let start = 0; start < items.length; start += PORTION) {
    const portion = items.slice(start, start + PORTION);
    const asked = portion.map(({ id }) => id);
    const images = await gallery.present(asked, 'image', source);
    const clouds = await gallery.present(asked, 'points', source);
    for (const item of portion) {
      const [image, cloud] = [images.get(item.id), clouds.get(item.id)];
      const isThere = image !== undefined || cloud !== undefined;
      if (isThere && image === cloud && image === (await item.hash())) continue;
      if (isThere) renewed++;
      embed.push(item);
    }
  }
  const gone = (await gallery.ids(source)).filter((id) => !ids.has(id));
  return { embed, added: embed.length - renewed, renewed, same: items.length - embed.length, gone };
}

/** Some objects of a split as a data set. */
const subset = (pairs: PairedData, indices: readonly number[]): PairedData => ({
  name: pairs.name,
  length: indices.length,
  imageShape: pairs.imageShape,
  id: (i) => pairs.id(indices[i]),
  load: (wanted) => pairs.load(Array.from(wanted, (i) => indices[i])),
});

interface EmbedOptions {
  readonly source: string;
  readonly thumbnails: boolean;
  readonly quiet: boolean;
  readonly data: DataSet;
}

/** Embeds objects into a gallery, in portions: each is there completely, or not at all. */
export async function embedInto(
  gallery: Gallery,
  model: LoadedEncoders,
  items: readonly Item[],
  options: EmbedOptions,
): Promise<void> {
  const progress = new Progress('embedding', 'objects', options.quiet);
  try {
    for (let start = 0; start < items.length; start += PORTION) {
      progress.update(start, items.length);
      const portion = items.slice(start, start + PORTION);
      for (const pairs of new Set(portion.map((item) => item.pairs))) {
        const own = portion.filter((item) => item.pairs === pairs);
        await gallery.upsert(await entriesOf(model, pairs, own, options));
      }
    }
  } finally {
    progress.stop();
  }
}

async function entriesOf(
  { encoders, config }: LoadedEncoders,
  pairs: PairedData,
  items: readonly Item[],
  { source, thumbnails, data: { rotation } }: EmbedOptions,
): Promise<Entry[]> {
  const indices = items.map(({ index }) => index);
  const { images, clouds, dimension } = await embedAll(
    encoders.gpu,
    encoders,
    subset(pairs, indices),
    config,
    rotation,
  );
  const samples = thumbnails ? await pairs.load(indices) : [];
  const view = viewOf(rotation);
  const entries = items.map(async ({ id, metadata, hash: hashOf }, i): Promise<Entry[]> => {
    const { image, cloud } = samples[i] ?? {};
    const row = (rows: Float32Array) => rows.slice(i * dimension, (i + 1) * dimension);
    const shown = async (picture: Promise<string> | undefined): Promise<Metadata> =>
      picture ? { ...metadata, thumbnail: await picture } : metadata;
    const own = { id, source, hash: await hashOf() };
    return [
      {
        ...own,
        modality: 'image',
        vector: row(images),
        metadata: await shown(image && imagePicture(image, pairs.imageShape)),
      },
      {
        ...own,
        modality: 'points',
        vector: row(clouds),
        metadata: await shown(cloud && cloudPicture(cloud, view)),
      },
    ];
  });
  return (await Promise.all(entries)).flat();
}

/**
 * What a report shows in addition to the figures: a map, the best and worst queries, the clusters, with their pictures.
 */
import { UMAP } from 'umap-js';
import { viewOf } from '../data/cloud_view.ts';
import type { CloudRotation, Labels, PairedData } from '../data/types.ts';
import type { Config } from '../romo/config.ts';
import type { Embeddings } from '../romo/embedding.ts';
import type { Direction, RetrievalFigures } from '../romo/figures/retrieval.ts';
import { kmeans } from '../romo/method/kmeans.ts';
import { pairMeans } from '../romo/rows.ts';
import type { Gpu } from '../tensor/device.ts';
import { Random } from '../tensor/random.ts';
import type { MapPoint } from './charts.ts';
import { cloudPicture, imagePicture } from './pictures.ts';

/** One object in a report. */
export interface Item {
  readonly id: string;
  readonly className: string;
  readonly image: string;
  readonly cloud: string;
}

/** Makes items, and each object's pictures only once. */
export class Items {
  private readonly made = new Map<number, Promise<Item>>();
  private readonly view;

  constructor(
    private readonly pairs: PairedData,
    private readonly labels: Labels,
    rotation: CloudRotation,
  ) {
    this.view = viewOf(rotation);
  }

  get(index: number): Promise<Item> {
    let item = this.made.get(index);
    if (!item) {
      item = this.make(index);
      this.made.set(index, item);
    }
    return item;
  }

  private async make(index: number): Promise<Item> {
    const [{ image, cloud }] = await this.pairs.load([index]);
    const pictures = [imagePicture(image, this.pairs.imageShape), cloudPicture(cloud, this.view)];
    const [imageUri, cloudUri] = await Promise.all(pictures);
    const { values, classNames } = this.labels;
    return { id: this.pairs.id(index), className: classNames[values[index]], image: imageUri, cloud: cloudUri };
  }
}

const MAPPED = 300; // pairs: more make the map slow and crowded

/** UMAP (McInnes et al. 2018) of the images and clouds of at most 300 pairs; the same seed gives the same map. */
export function mapOf({ images, clouds, dimension }: Embeddings, labels: Labels, seed: number): MapPoint[] {
  const order = new Random(seed, 'map').permutation(labels.values.length).subarray(0, MAPPED);
  const row = (rows: Float32Array, index: number) => [...rows.subarray(index * dimension, (index + 1) * dimension)];
  const rows = [...order].flatMap((index) => [row(images, index), row(clouds, index)]);
  const random = new Random(seed, 'umap');
  const nNeighbors = Math.min(15, rows.length - 1);
  const placed = rows.length < 4 ? rows : new UMAP({ nNeighbors, random: () => random.uniform() }).fit(rows);
  return placed.map(([x, y], i) => ({
    x,
    y,
    kind: i % 2 === 0 ? 'image' : '3D',
    className: labels.classNames[labels.values[order[i >> 1]]],
  }));
}

/** A query with its nearest answers. */
export interface Example {
  readonly direction: Direction;
  readonly query: Item;
  readonly averagePrecision: number;
  readonly answers: readonly Item[];
}

const EXAMPLES = 6;
const ANSWERS = 6;

/** The queries with the highest and the lowest average precision; equal ones are ordered by index. */
export async function examplesOf(
  direction: Direction,
  { averagePrecisions, nearest }: RetrievalFigures,
  items: Items,
): Promise<{ best: Example[]; worst: Example[] }> {
  const order = [...averagePrecisions.keys()].sort((a, b) => averagePrecisions[b] - averagePrecisions[a] || a - b);
  const example = async (query: number): Promise<Example> => ({
    direction,
    query: await items.get(query),
    averagePrecision: averagePrecisions[query],
    answers: await Promise.all([...nearest[query].subarray(0, ANSWERS)].map((answer) => items.get(answer))),
  });
  const few = Math.min(EXAMPLES, Math.ceil(order.length / 2));
  return {
    best: await Promise.all(order.slice(0, few).map(example)),
    worst: await Promise.all(
      order
        .slice(order.length - few)
        .reverse()
        .map(example),
    ),
  };
}

/** A cluster of the held-out pairs, and the pairs nearest to its centre. */
export interface Cluster {
  readonly size: number;
  /** the most frequent class of its pairs, and its share */
  readonly className: string;
  readonly purity: number;
  readonly items: readonly Item[];
}

const SHOWN = 12;

/** The clusters that the cluster accuracy is computed from, largest first. */
export async function clustersOf(
  gpu: Gpu,
  { images, clouds, dimension }: Embeddings,
  { values, classNames }: Labels,
  { clusters, seed }: Pick<Config, 'clusters' | 'seed'>,
  items: Items,
): Promise<Cluster[]> {
  const means = pairMeans(images, clouds, dimension);
  const options = { clusters, seed, stream: 'figures', restarts: 10 };
  const { labels, centres } = await kmeans(gpu, means, dimension, options);
  const distance = (index: number) => {
    let squares = 0;
    for (let c = 0; c < dimension; c++) {
      squares += (means[index * dimension + c] - centres[labels[index] * dimension + c]) ** 2;
    }
    return squares;
  };
  const members = Array.from({ length: clusters }, (_, cluster) =>
    [...labels.keys()].filter((index) => labels[index] === cluster).sort((a, b) => distance(a) - distance(b)),
  ).filter(({ length }) => length > 0);
  members.sort((a, b) => b.length - a.length);
  return Promise.all(
    members.map(async (own) => {
      const counts = classNames.map((_, label) => own.filter((index) => values[index] === label).length);
      const most = Math.max(...counts);
      const shown = await Promise.all(own.slice(0, SHOWN).map((index) => items.get(index)));
      return { size: own.length, className: classNames[counts.indexOf(most)], purity: most / own.length, items: shown };
    }),
  );
}

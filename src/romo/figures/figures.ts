/**
 * Retrieval and clustering figures, and the baselines to compare them with. The only part of the method that reads
 * labels; training never imports it.
 */

import { resizeImage } from '../../data/resize.ts';
import type { AnySplit, DataSet, Labels, PairedData } from '../../data/types.ts';
import type { Gpu } from '../../tensor/device.ts';
import type { Config } from '../config.ts';
import { type Embeddings, embedAll } from '../embedding.ts';
import type { Encoders } from '../encoders.ts';
import { kmeans } from '../method/kmeans.ts';
import type { PseudoLabels } from '../method/stage_state.ts';
import { pairMeans, scoresOf, unitRows } from '../rows.ts';
import { clusterAccuracy, meanAveragePrecision } from './metrics.ts';

/**
 * The quality of an embedding, by labels that training never saw. result.json has these names, in which `points` are
 * clouds.
 */
export interface Figures {
  /** mean average precision of image queries against clouds, 0..1 */
  imageToPoints: number;
  pointsToImage: number;
  /** best one-to-one match of k-means clusters of the pairs' mean embeddings with the classes; null without labels */
  clusterAccuracy: number | null;
  /**
   * What is to be found: objects of the same class, or, where the data have no labels, the query's own partner alone;
   * mean average precision then is the mean of 1 / (place of the partner).
   */
  hit: 'class' | 'partner';
}

/** @param clusters clusters the pairs; called only if there are labels to compare them with */
async function figures(
  { images, clouds, dimension }: Embeddings,
  { pairs, labels }: AnySplit,
  config: Config,
  clusters: () => Promise<{ labels: Int32Array }>,
): Promise<Figures> {
  const values = labels?.values ?? Int32Array.from({ length: pairs.length }, (_, index) => index);
  return {
    imageToPoints: meanAveragePrecision(images, values, clouds, values, dimension),
    pointsToImage: meanAveragePrecision(clouds, values, images, values, dimension),
    clusterAccuracy:
      labels && clusterAccuracy((await clusters()).labels, values, config.clusters, labels.classNames.length),
    hit: labels ? 'class' : 'partner',
  };
}

/** Figures of encoders on the test split. */
export async function figuresOf(gpu: Gpu, encoders: Encoders, data: DataSet, config: Config): Promise<Figures> {
  const embeddings = await embedAll(gpu, encoders, data.test.pairs, config, data.rotation);
  const means = pairMeans(embeddings.images, embeddings.clouds, embeddings.dimension);
  const options = { clusters: config.clusters, seed: config.seed, stream: 'figures', restarts: 10 };
  return figures(embeddings, data.test, config, () => kmeans(gpu, means, embeddings.dimension, options));
}

const GRID = 8;
const LARGEST_IMAGE = 32;

/**
 * Raw data as rows for k-means: pixels (of an image shrunk to 32 x 32 where it is larger), and the share of
 * points in each cell of an 8 x 8 x 8 grid. Unit rows.
 */
async function rawRows(pairs: PairedData): Promise<Embeddings & { gridDimension: number }> {
  const [height, width, channels] = pairs.imageShape;
  const isLarge = height * width > LARGEST_IMAGE ** 2;
  const dimension = (isLarge ? LARGEST_IMAGE ** 2 : height * width) * channels;
  const gridDimension = GRID ** 3;
  const images = new Float32Array(pairs.length * dimension);
  const clouds = new Float32Array(pairs.length * gridDimension);
  for (let index = 0; index < pairs.length; index++) {
    const [{ image, cloud }] = await pairs.load([index]);
    images.set(isLarge ? resizeImage(image, pairs.imageShape, LARGEST_IMAGE) : image, index * dimension);
    const low = [0, 1, 2].map((axis) => extreme(cloud, axis, Math.min));
    const range = Math.max(...[0, 1, 2].map((axis) => extreme(cloud, axis, Math.max) - low[axis])) || 1;
    for (let at = 0; at < cloud.length; at += 3) {
      const cell = [0, 1, 2].map((axis) =>
        Math.min(GRID - 1, Math.floor(((cloud[at + axis] - low[axis]) / range) * GRID)),
      );
      clouds[index * gridDimension + (cell[0] * GRID + cell[1]) * GRID + cell[2]]++;
    }
  }
  return { images: unitRows(images, dimension), clouds: unitRows(clouds, gridDimension), dimension, gridDimension };
}

function extreme(cloud: Float32Array, axis: number, choose: (a: number, b: number) => number): number {
  let value = cloud[axis];
  for (let at = axis; at < cloud.length; at += 3) value = choose(value, cloud[at]);
  return value;
}

/** Rows of a and b side by side. */
function sideBySide(a: Float32Array, aWidth: number, b: Float32Array, bWidth: number): Float32Array {
  const rows = a.length / aWidth;
  const out = new Float32Array(a.length + b.length);
  for (let row = 0; row < rows; row++) {
    out.set(a.subarray(row * aWidth, (row + 1) * aWidth), row * (aWidth + bWidth));
    out.set(b.subarray(row * bWidth, (row + 1) * bWidth), row * (aWidth + bWidth) + aWidth);
  }
  return out;
}

/**
 * The baseline without any network: k-means over pixels and voxels of the training pairs side by side. Each centre has
 * a pixel part and a voxel part, so an image and a cloud can both be described by their cosines with the C centres, and
 * compared.
 */
export async function rawFigures(gpu: Gpu, data: DataSet, config: Config): Promise<Figures> {
  const [train, test] = [await rawRows(data.train.pairs), await rawRows(data.test.pairs)];
  const { dimension, gridDimension } = train;
  const both = dimension + gridDimension;
  const options = { clusters: config.clusters, seed: config.seed, stream: 'raw' };
  const { centres } = await kmeans(
    gpu,
    sideBySide(train.images, dimension, train.clouds, gridDimension),
    both,
    options,
  );
  const part = (from: number, width: number) => {
    const rows = Array.from({ length: config.clusters }, (_, c) =>
      centres.subarray(c * both + from, c * both + from + width),
    );
    return Float32Array.from(rows.flatMap((row) => [...row]));
  };
  const described = (rows: Float32Array, width: number, from: number) =>
    unitRows(centred(scoresOf(rows, part(from, width), width), config.clusters), config.clusters);
  const images = described(test.images, dimension, 0);
  const clouds = described(test.clouds, gridDimension, dimension);
  return figures({ images, clouds, dimension: config.clusters }, data.test, config, () =>
    kmeans(gpu, sideBySide(test.images, dimension, test.clouds, gridDimension), both, options),
  );
}

/** Each row of scores minus its mean: differences between centres, without the brightness of the picture. */
function centred(scores: Float64Array, columns: number): Float32Array {
  const out = new Float32Array(scores.length);
  for (let start = 0; start < scores.length; start += columns) {
    const row = scores.subarray(start, start + columns);
    const mean = row.reduce((sum, score) => sum + score, 0) / columns;
    row.forEach((score, c) => {
      out[start + c] = score - mean;
    });
  }
  return out;
}

/** How well the pseudo labels of the training split match its classes, per modality. */
export function pseudoLabelAccuracy(labels: PseudoLabels, truth: Labels, clusters: number) {
  const classes = truth.classNames.length;
  return {
    images: clusterAccuracy(labels.images, truth.values, clusters, classes),
    points: clusterAccuracy(labels.clouds, truth.values, clusters, classes),
  };
}

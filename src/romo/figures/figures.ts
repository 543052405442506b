/**
 * Retrieval and clustering figures, and the baselines to compare them with. The only part of the method that reads
 * labels; training never imports it.
 */
import type { AnySplit, DataSet, Labels } from '../../data/types.ts';
import type { Gpu } from '../../tensor/device.ts';
import type { Config } from '../config.ts';
import { type Embeddings, embedAll } from '../embedding.ts';
import type { Encoders } from '../encoders.ts';
import { kmeans } from '../method/kmeans.ts';
import type { PseudoLabels } from '../method/stage_state.ts';
import { rawClusters } from '../raw.ts';
import { pairMeans } from '../rows.ts';
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
  clusters: () => Promise<Int32Array>,
): Promise<Figures> {
  const values = labels?.values ?? Int32Array.from({ length: pairs.length }, (_, index) => index);
  return {
    imageToPoints: meanAveragePrecision(images, values, clouds, values, dimension),
    pointsToImage: meanAveragePrecision(clouds, values, images, values, dimension),
    clusterAccuracy: labels && clusterAccuracy(await clusters(), values, config.clusters, labels.classNames.length),
    hit: labels ? 'class' : 'partner',
  };
}

/** Figures of encoders on the test split. */
export async function figuresOf(gpu: Gpu, encoders: Encoders, data: DataSet, config: Config): Promise<Figures> {
  const embeddings = await embedAll(gpu, encoders, data.test.pairs, config, data.rotation);
  return figures(embeddings, data.test, config, () => clustersOfPairs(gpu, embeddings, config));
}

/** The cluster of each pair, by k-means of the pairs' mean embeddings: what cluster accuracy is computed from. */
export async function clustersOfPairs(
  gpu: Gpu,
  { images, clouds, dimension }: Embeddings,
  { clusters, seed }: Pick<Config, 'clusters' | 'seed'>,
): Promise<Int32Array> {
  const options = { clusters, seed, stream: 'figures', restarts: 10 };
  return (await kmeans(gpu, pairMeans(images, clouds, dimension), dimension, options)).labels;
}

/**
 * Figures of the baseline without any network: k-means over pixels and voxels of the training pairs, see raw.ts.
 */
export async function rawFigures(gpu: Gpu, data: DataSet, config: Config): Promise<Figures> {
  const described = await (await rawClusters(gpu, data.train.pairs, config))(data.test.pairs);
  return figures(described, data.test, config, described.clusters);
}

/** How well the pseudo labels of the training split match its classes, per modality. */
export function pseudoLabelAccuracy(labels: PseudoLabels, truth: Labels, clusters: number) {
  const classes = truth.classNames.length;
  return {
    images: clusterAccuracy(labels.images, truth.values, clusters, classes),
    points: clusterAccuracy(labels.clouds, truth.values, clusters, classes),
  };
}

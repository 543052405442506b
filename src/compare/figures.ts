/** The figures of a trained method on held-out pairs. Apart from the supervised oracle, nothing else here reads labels. */
import type { AnySplit } from '../data/types.ts';
import type { Config } from '../romo/config.ts';
import { clustersOfPairs } from '../romo/figures/figures.ts';
import { averagePrecision, clusterAccuracy, hitRanks, mean, rankings } from '../romo/figures/metrics.ts';
import { clusterSizes } from '../romo/method/kmeans.ts';
import { unitRows } from '../romo/rows.ts';
import type { Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import type { Described } from './method.ts';

/** How well an embedding retrieves and clusters. In 0..1 each. */
export interface ComparedFigures {
  /** mean average precision of image queries against clouds; without labels only the query's own partner is a hit */
  readonly imageToPoints: number;
  readonly pointsToImage: number;
  /** share of the image queries whose nearest cloud is a hit */
  readonly imageToPointsRecallAt1: number;
  readonly pointsToImageRecallAt1: number;
  /** null without labels */
  readonly clusterAccuracy: number | null;
  /** share of the pairs in the fullest cluster */
  readonly largestCluster: number;
  /** mean cosine of two different images, and of two different clouds: 1 if all are embedded alike */
  readonly meanCosine: { readonly images: number; readonly points: number };
}

/** @throws RomoError `not-finite` if an embedding is not finite */
export async function comparedFigures(
  gpu: Gpu,
  described: Described,
  { pairs, labels }: AnySplit,
  config: Config,
): Promise<ComparedFigures> {
  const { images, clouds, dimension } = described;
  for (const [modality, rows] of Object.entries({ images, clouds })) {
    if (rows.every(Number.isFinite)) continue;
    throw new RomoError('not-finite', `the embeddings of the ${modality} are not finite`, 'Lower the learning rate.');
  }
  const values = labels?.values ?? Int32Array.from({ length: pairs.length }, (_, index) => index);
  const [imageQueries, cloudQueries] = [
    retrieval(images, clouds, values, dimension),
    retrieval(clouds, images, values, dimension),
  ];
  const clusters = await (described.clusters?.() ?? clustersOfPairs(gpu, described, config));
  return {
    imageToPoints: imageQueries.meanAveragePrecision,
    pointsToImage: cloudQueries.meanAveragePrecision,
    imageToPointsRecallAt1: imageQueries.recallAt1,
    pointsToImageRecallAt1: cloudQueries.recallAt1,
    clusterAccuracy: labels && clusterAccuracy(clusters, values, config.clusters, labels.classNames.length),
    largestCluster: Math.max(...clusterSizes(clusters, config.clusters)) / pairs.length,
    meanCosine: { images: meanCosine(images, dimension), points: meanCosine(clouds, dimension) },
  };
}

function retrieval(queries: Float32Array, gallery: Float32Array, labels: Int32Array, dimension: number) {
  const precisions: number[] = [];
  let first = 0;
  for (const { query, ranking } of rankings({ rows: queries, labels }, { rows: gallery, labels }, dimension)) {
    const ranks = hitRanks(ranking, labels, labels[query]);
    precisions.push(averagePrecision(ranks));
    first += Number(ranks[0] === 1);
  }
  return { meanAveragePrecision: mean(precisions), recallAt1: first / labels.length };
}

/** Over all pairs of different rows: (|sum of unit rows|^2 - N) / (N (N - 1)). */
function meanCosine(rows: Float32Array, dimension: number): number {
  const unit = unitRows(Float64Array.from(rows), dimension);
  const count = rows.length / dimension;
  const total = new Float64Array(dimension);
  for (let i = 0; i < unit.length; i++) total[i % dimension] += unit[i];
  const squares = total.reduce((sum, value) => sum + value * value, 0);
  return count > 1 ? (squares - count) / (count * (count - 1)) : 1;
}

const ALIKE = 0.99;
const MOST = 0.5;

/** What suggests that an embedding has collapsed; empty if nothing does. */
export function collapseNotes({ meanCosine: { images, points }, largestCluster }: ComparedFigures): string[] {
  const notes: string[] = [];
  if (images > ALIKE) notes.push(`collapsed: images are embedded alike (mean cosine ${images.toFixed(3)})`);
  if (points > ALIKE) notes.push(`collapsed: clouds are embedded alike (mean cosine ${points.toFixed(3)})`);
  if (largestCluster > MOST) notes.push(`one cluster holds ${Math.round(100 * largestCluster)}% of the held-out pairs`);
  return notes;
}

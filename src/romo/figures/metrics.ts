/**
 * The two figures that judge an embedding, both computed in float64: mean average precision of cross-modal retrieval,
 * and the accuracy of clusters under their best one-to-one match with classes. Nothing but the evaluation reads labels.
 */
import { RomoError } from '../../tensor/error.ts';
import { hungarian } from '../hungarian.ts';
import { unitRows } from '../rows.ts';

/**
 * Mean average precision: each query ranks the whole gallery by cosine; a hit is an item of the query's class; average
 * precision is the mean, over the hits, of (hits so far) / rank. Ties go to the lower gallery index. A query without
 * any hit in the gallery counts as 0 and stays in the mean. Cost: queries * gallery * (dim + log gallery).
 * @param queries [Q, dim], any length of row (rows are normalised here; a zero row has the cosine 0 with everything)
 * @param queryLabels [Q]
 * @param gallery [G, dim]
 * @param galleryLabels [G]
 * @returns 0..1
 * @throws RomoError `shape` where the lengths do not fit, where there are no queries or no gallery, or on a value that
 *   is not finite
 */
export function meanAveragePrecision(
  queries: ArrayLike<number>,
  queryLabels: ArrayLike<number>,
  gallery: ArrayLike<number>,
  galleryLabels: ArrayLike<number>,
  dim: number,
): number {
  const asked = { rows: queries, labels: queryLabels };
  const precisions: number[] = [];
  for (const { query, ranking } of rankings(asked, { rows: gallery, labels: galleryLabels }, dim)) {
    precisions.push(averagePrecision(hitRanks(ranking, galleryLabels, queryLabels[query])));
  }
  return mean(precisions);
}

/** Ranks, counted from 1, of the items of a class. */
export function hitRanks(ranking: Uint32Array, labels: ArrayLike<number>, label: number): number[] {
  const ranks: number[] = [];
  ranking.forEach((item, at) => {
    if (labels[item] === label) ranks.push(at + 1);
  });
  return ranks;
}

/** The mean, over the hits, of (hits so far) / rank; 0 without hits. */
export const averagePrecision = (ranks: readonly number[]): number => mean(ranks.map((rank, i) => (i + 1) / rank));

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
export const mean = (values: readonly number[]): number => (values.length > 0 ? sum(values) / values.length : 0);

/**
 * The ranking of a gallery for each query in turn: item indices by falling cosine, ties to the lower index. The array
 * is used again for the next query.
 * @throws RomoError `shape` as meanAveragePrecision does
 */
export function* rankings(
  queries: { readonly rows: ArrayLike<number>; readonly labels: ArrayLike<number> },
  gallery: { readonly rows: ArrayLike<number>; readonly labels: ArrayLike<number> },
  dim: number,
): Generator<{ query: number; ranking: Uint32Array }> {
  const queryRows = checkedRows(queries.rows, queries.labels.length, dim, 'queries');
  const galleryRows = checkedRows(gallery.rows, gallery.labels.length, dim, 'gallery');
  const galleryCount = gallery.labels.length;
  const cosines = new Float64Array(galleryCount);
  const ranking = new Uint32Array(galleryCount);
  for (let query = 0; query < queries.labels.length; query++) {
    for (let item = 0; item < galleryCount; item++) {
      let cosine = 0;
      for (let c = 0; c < dim; c++) cosine += queryRows[query * dim + c] * galleryRows[item * dim + c];
      cosines[item] = cosine;
      ranking[item] = item;
    }
    ranking.sort((a, b) => cosines[b] - cosines[a] || a - b);
    yield { query, ranking };
  }
}

/** @returns the rows [count, dim] scaled to unit length */
function checkedRows(values: ArrayLike<number>, count: number, dim: number, name: string): Float64Array {
  if (count === 0 || dim < 1 || values.length !== count * dim) {
    throw new RomoError(
      'shape',
      `meanAveragePrecision: ${name} has ${values.length} values for ${count} labels and ${dim} dimensions`,
      'Pass [labels, dim] values and at least one row.',
    );
  }
  const rows = unitRows(Float64Array.from(values), dim);
  const bad = rows.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new RomoError(
      'shape',
      `meanAveragePrecision: row ${Math.floor(bad / dim)} of ${name} holds a value that is not finite`,
      'The model that made it has diverged: lower the learning rate.',
    );
  }
  return rows;
}

/**
 * Cluster accuracy: the share of samples in the cluster that the best one-to-one match assigns to their class. With
 * more clusters than classes some clusters stay without a class, and their samples count as wrong (and the other way
 * round).
 * @param predicted cluster of each sample, 0..clusters-1
 * @param truth class of each sample, 0..classes-1
 * @returns 0..1
 * @throws RomoError `shape` if the two lengths differ or are 0; `label` if a value is out of range
 */
export function clusterAccuracy(
  predicted: ArrayLike<number>,
  truth: ArrayLike<number>,
  clusters: number,
  classes: number,
): number {
  if (predicted.length !== truth.length || truth.length === 0) {
    throw new RomoError(
      'shape',
      `clusterAccuracy: ${predicted.length} clusters are given for ${truth.length} labels`,
      'Pass one cluster per label, and at least one.',
    );
  }
  const cost = Array.from({ length: clusters }, () => new Float64Array(classes)); // minus the samples that agree
  for (let sample = 0; sample < truth.length; sample++) {
    const cluster = predicted[sample];
    const label = truth[sample];
    if (!(cost[cluster] && label in cost[cluster])) {
      throw new RomoError(
        'label',
        `clusterAccuracy: sample ${sample} has cluster ${cluster} and class ${label}, of ${clusters} and ${classes}`,
        'Pass the numbers of clusters and classes that the data have.',
      );
    }
    cost[cluster][label] -= 1;
  }
  let agreeing = 0;
  hungarian(cost).forEach((label, cluster) => {
    if (label >= 0) agreeing -= cost[cluster][label];
  });
  return agreeing / truth.length;
}

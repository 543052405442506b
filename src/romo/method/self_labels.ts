/**
 * Self-labelling: before each epoch of `rdl` the objects are embedded and clustered again, neighbours vote on each
 * label, and only confident objects teach. No label of the data set is involved. Source: the steps of SCAN (Van
 * Gansbeke et al. 2020) on pairs of an image and a cloud, with clusters that keep their numbers.
 */
import type { Gpu } from '../../tensor/device.ts';
import type { Config } from '../config.ts';
import type { Embeddings } from '../embedding.ts';
import { argmaxRows, centresOf, scoresOf } from '../rows.ts';
import { commonest, namedAfter } from './consensus.ts';
import type { PseudoLabels } from './stage_state.ts';
import { clusterObjects, neighboursIn, type ObjectClusters } from './views.ts';

/** What the clusters are, and how sure each object's label is. */
export interface SelfLabels {
  readonly labels: PseudoLabels & { readonly confident: Uint8Array };
  /** unit centres [C, d] */
  readonly centres: Float32Array;
  /** whose clusters hold best */
  readonly view: ObjectClusters['view'];
  /** share of the objects whose image and cloud are nearest to the same centre */
  readonly agreement: number;
}

/**
 * The labels of an epoch: clusters of the objects, then the vote, then the confident share of each cluster. With config.joinedFrom above 1
 * the clusters are found anew, and named after the last labels; else by Lloyd's iterations from the centres of the last labels. Either way
 * cluster c stays cluster c.
 * @param last labels of the epoch before, one per object
 */
export async function relabel(
  gpu: Gpu,
  embeddings: Embeddings,
  last: Int32Array,
  epoch: number,
  config: Config,
): Promise<SelfLabels> {
  const { clusters, rdl } = config;
  const { dimension } = embeddings;
  const start = (rows: Float32Array) => centresOf(rows, dimension, last, clusters);
  const found = await clusterObjects(gpu, embeddings, config, { stream: `relabel ${epoch}`, start });
  const { rows, view } = found;
  const neighbours = found.neighbours ?? (await neighboursIn(gpu, view, embeddings, config));
  let labels = namedAfter(last, found.labels, clusters);
  for (let round = 0; round < (rdl.voteRounds ?? 5); round++) labels = vote(labels, neighbours, clusters);
  const centres = centresOf(rows, dimension, labels, clusters);
  const margins = marginsOf(scoresOf(rows, centres, dimension), labels, clusters);
  const confident = confidentOf(margins, labels, clusters, shareOf(epoch, rdl));
  return {
    labels: { images: labels, clouds: labels, confident },
    centres,
    view,
    agreement: centresInCommon(embeddings, centres),
  };
}

function centresInCommon({ images, clouds, dimension }: Embeddings, centres: Float32Array): number {
  const [ofImages, ofClouds] = [images, clouds].map((rows) =>
    argmaxRows(scoresOf(rows, centres, dimension), centres.length / dimension),
  );
  return ofImages.filter((centre, row) => centre === ofClouds[row]).length / ofImages.length;
}

/** The share of an epoch: linear from the first epoch's to the last's. */
export function shareOf(epoch: number, { epochs, confidentFrom = 0.7, confidentTo = 0.95 }: Config['rdl']): number {
  return epochs === 1 ? confidentFrom : confidentFrom + ((confidentTo - confidentFrom) * epoch) / (epochs - 1);
}

/** Each label becomes the commonest of its neighbours'; of equals its own, else the lowest. */
export function vote(labels: Int32Array, neighbours: readonly Int32Array[], clusters: number): Int32Array {
  const votes = new Int32Array(clusters);
  return labels.map((own, row) => {
    votes.fill(0);
    for (const other of neighbours[row]) votes[labels[other]]++;
    return commonest(votes, own);
  });
}

/** Cosine with the own centre less the largest with another's; scores [N, C]. */
function marginsOf(scores: ArrayLike<number>, labels: Int32Array, clusters: number): Float64Array {
  return Float64Array.from(labels, (label, row) => {
    let other = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < clusters; c++) if (c !== label) other = Math.max(other, scores[row * clusters + c]);
    return scores[row * clusters + label] - other;
  });
}

/**
 * 1 for the share of each cluster with the largest margins, at least one object; of equal margins the lower index
 * first.
 */
export function confidentOf(
  margins: ArrayLike<number>,
  labels: Int32Array,
  clusters: number,
  share: number,
): Uint8Array {
  const confident = new Uint8Array(labels.length);
  for (let cluster = 0; cluster < clusters; cluster++) {
    const members = [...labels.keys()].filter((row) => labels[row] === cluster);
    members.sort((a, b) => margins[b] - margins[a] || a - b);
    for (const row of members.slice(0, Math.max(1, Math.round(share * members.length)))) confident[row] = 1;
  }
  return confident;
}

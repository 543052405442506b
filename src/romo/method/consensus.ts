/**
 * What several clusterings of the same objects have in common: each names its clusters as one of them does, then all vote on
 * each object. Source: Dudoit and Fridlyand 2003, whose clusterings are of bootstrap samples.
 */
import { hungarian } from '../hungarian.ts';
import { clusterSizes } from './kmeans.ts';

/** A clustering, and how well it holds. */
export interface Held {
  readonly labels: Int32Array;
  readonly modularity: number;
}

/** The half of the clusterings with the highest modularity, rounded up, best first. */
export const betterHalf = <Found extends Held>(found: readonly Found[]): Found[] =>
  [...found].sort((a, b) => b.modularity - a.modularity).slice(0, Math.ceil(found.length / 2));

/**
 * The commonest label of each object, among clusterings named after the first; of equals the first's own, else the lowest. Clusterings
 * that divide different classes can vote a cluster away: where the smallest would keep less than half of what the first's smallest
 * has, the first stays.
 */
export function consensus(first: Int32Array, others: readonly Int32Array[], clusters: number): Int32Array {
  const named = others.map((labels) => namedAfter(first, labels, clusters));
  const votes = new Int32Array(clusters);
  const labels = first.map((own, row) => {
    votes.fill(0);
    votes[own]++;
    for (const other of named) votes[other[row]]++;
    return commonest(votes, own);
  });
  const smallest = (of: Int32Array) => Math.min(...clusterSizes(of, clusters));
  return 2 * smallest(labels) < smallest(first) ? first : labels;
}

/** The label with the most votes; of equals `own`, else the lowest. */
export function commonest(votes: Int32Array, own: number): number {
  let best = own;
  votes.forEach((count, label) => {
    if (count > votes[best]) best = label;
  });
  return best;
}

/** The same clusters, numbered so that as many objects as possible keep their last label. */
export function namedAfter(last: Int32Array, labels: Int32Array, clusters: number): Int32Array {
  const overlap = Array.from({ length: clusters }, () => new Float64Array(clusters));
  labels.forEach((label, row) => {
    overlap[label][last[row]]--; // a cost: the fewer, the better
  });
  const names = hungarian(overlap);
  return labels.map((label) => names[label]);
}

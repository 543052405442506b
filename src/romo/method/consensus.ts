/**
 * What several clusterings of the same objects have in common: each names its clusters as one of them does, then all vote on
 * each object. Source: Dudoit and Fridlyand 2003, whose clusterings are of bootstrap samples.
 */
import { hungarian } from '../hungarian.ts';

/** A clustering, and the share of all neighbours that it keeps together. */
export interface Held {
  readonly labels: Int32Array;
  readonly agreement: number;
}

/** The half of the clusterings with the most agreement, rounded up, best first. */
export const betterHalf = <Found extends Held>(found: readonly Found[]): Found[] =>
  [...found].sort((a, b) => b.agreement - a.agreement).slice(0, Math.ceil(found.length / 2));

/** The commonest label of each object, among clusterings named after the first; of equals the first's own, else the lowest. */
export function consensus(first: Int32Array, others: readonly Int32Array[], clusters: number): Int32Array {
  const named = others.map((labels) => namedAfter(first, labels, clusters));
  const votes = new Int32Array(clusters);
  return first.map((own, row) => {
    votes.fill(0);
    votes[own]++;
    for (const labels of named) votes[labels[row]]++;
    return commonest(votes, own);
  });
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

/**
 * Which embeddings are clustered. The two views of an object are not equally easy to tell apart: digits are easier as
 * images, furniture is easier as clouds. The view whose clusters agree best with its neighbours is found without labels.
 */
import { knn } from '../../autograd/knn.ts';
import type { Gpu } from '../../tensor/device.ts';
import { Random } from '../../tensor/random.ts';
import type { TypedArray } from '../../tensor/tensor.ts';
import type { Config } from '../config.ts';
import type { Embeddings } from '../embedding.ts';
import { centresOf, pairMeans } from '../rows.ts';
import { type Clusters, kmeans, lloydFrom } from './kmeans.ts';
import { joinClusters } from './modularity.ts';

/** Objects among which neighbours are sought at once: kNN costs their square. */
const BLOCK = 8192;

/** Objects per small cluster, at least: of fewer the neighbours say little. */
const LEAST = 10;

type View = 'pairs' | 'images' | 'clouds';

/** Clusters of objects, and what they were found in. */
export interface ObjectClusters extends Pick<Clusters, 'centres' | 'labels'> {
  readonly view: View;
  /** unit vector of each object, [N, d] */
  readonly rows: Float32Array;
  /** what `nearestObjects` finds; null where nothing was chosen by it */
  readonly neighbours: Int32Array[] | null;
}

/**
 * Clusters all objects by the view that `config.clusterBy` names or, for `best`, in each view; the view is kept in which
 * an object most often shares its cluster with its neighbours. With config.joinedFrom above 1, k-means finds that many small clusters
 * per cluster, which are joined (modularity.ts); fewer where they would have less than 10 objects each. Of several starts those
 * clusters are kept which hold best by the same rule: what k-means itself minimises says little about them.
 * @param start centres to start from, found per view, of clusters that are not joined; without it k-means has `restarts` starts,
 *   default 4
 */
export async function clusterObjects(
  gpu: Gpu,
  embeddings: Embeddings,
  config: Config,
  { start, stream, restarts = 4 }: { stream: string; restarts?: number; start?: (rows: Float32Array) => Float32Array },
): Promise<ObjectClusters> {
  const { clusterBy = 'pairs', joinedFrom = 1, clusters, seed } = config;
  const { dimension } = embeddings;
  const views: readonly View[] = clusterBy === 'best' ? ['images', 'clouds', 'pairs'] : [clusterBy];
  let best: { agreement: number; found: ObjectClusters } | null = null;
  for (const view of views) {
    const rows = view === 'pairs' ? pairMeans(embeddings.images, embeddings.clouds, dimension) : embeddings[view];
    const most = Math.floor(rows.length / dimension / LEAST);
    const small = Math.min(joinedFrom * clusters, most);
    const isJoined = small > clusters;
    const isOnly = views.length === 1 && !isJoined;
    const neighbours = isOnly ? null : await nearestObjects(gpu, rows, dimension, config);
    const attempt = async (at: number): Promise<Pick<Clusters, 'centres' | 'labels'>> => {
      if (isJoined && neighbours) {
        const options = { clusters: small, seed, stream: `${stream} ${at}`, restarts: 1 };
        const pieces = await kmeans(gpu, rows, dimension, options);
        const labels = joinClusters(pieces.labels, neighbours, small, clusters);
        return { labels, centres: centresOf(rows, dimension, labels, clusters) };
      }
      if (start) return lloydFrom(gpu, rows, dimension, start(rows));
      return kmeans(gpu, rows, dimension, { clusters, seed, stream, restarts });
    };
    for (let at = 0; at < (isJoined ? restarts : 1); at++) {
      const found = await attempt(at);
      const agreement = neighbours ? agreementOf(found.labels, neighbours) : 1;
      if (!best || agreement > best.agreement) best = { agreement, found: { ...found, view, rows, neighbours } };
    }
  }
  return (best as { found: ObjectClusters }).found;
}

/** Share of all neighbours that have the label of the object whose neighbours they are. */
export function agreementOf(labels: Int32Array, neighbours: readonly Int32Array[]): number {
  let same = 0;
  let all = 0;
  neighbours.forEach((others, row) => {
    all += others.length;
    for (const other of others) same += Number(labels[other] === labels[row]);
  });
  return same / all;
}

/**
 * The k = config.rdl.voteNeighbours nearest other rows of each row [N, d]: indices [N, k]. Beyond `block` rows they are sought within blocks that
 * are drawn at random, which costs N block instead of N^2; k is at most the smallest block less one.
 */
export async function nearestObjects(
  gpu: Gpu,
  rows: Float32Array,
  dimension: number,
  { seed, rdl }: Pick<Config, 'seed' | 'rdl'>,
  block = BLOCK,
): Promise<Int32Array[]> {
  const count = rows.length / dimension;
  const blocks = Math.ceil(count / block);
  const k = rdl.voteNeighbours ?? 10;
  const order =
    blocks === 1 ? Uint32Array.from({ length: count }, (_, i) => i) : new Random(seed, 'vote').permutation(count);
  const found: Int32Array[] = new Array(count);
  for (let b = 0; b < blocks; b++) {
    const members = order.subarray(Math.round((b * count) / blocks), Math.round(((b + 1) * count) / blocks));
    const wanted = Math.min(k + 1, members.length); // the row itself is among them
    const values = new Float32Array(members.length * dimension);
    members.forEach((row, i) => {
      values.set(rows.subarray(row * dimension, (row + 1) * dimension), i * dimension);
    });
    const nearest = await nearestRows(gpu, values, dimension, wanted);
    members.forEach((row, i) => {
      const others = [...nearest.subarray(i * wanted, (i + 1) * wanted)].filter((other) => other !== i).slice(0, k);
      found[row] = Int32Array.from(others, (other) => members[other]);
    });
  }
  return found;
}

/** The k nearest rows of each row [N, d], itself among them: indices [N, k]. */
function nearestRows(gpu: Gpu, rows: Float32Array, dimension: number, k: number): Promise<TypedArray> {
  using _scope = gpu.scope();
  return knn(gpu.tensor(rows, [1, rows.length / dimension, dimension]), k).read();
}

/**
 * Which embeddings are clustered, and what judges the clusters. The two views of an object are not equally easy to tell apart:
 * digits are easier as images, furniture is easier as clouds, and in each some objects lie among those of another class.
 * The neighbours in both modalities tell which clusters hold best, without labels.
 */
import { knn } from '../../autograd/knn.ts';
import type { Gpu } from '../../tensor/device.ts';
import { Random } from '../../tensor/random.ts';
import type { TypedArray } from '../../tensor/tensor.ts';
import type { Config } from '../config.ts';
import type { Embeddings } from '../embedding.ts';
import { centresOf, pairMeans } from '../rows.ts';
import { betterHalf, consensus, type Held } from './consensus.ts';
import { type Clusters, kmeans, lloydFrom } from './kmeans.ts';
import { joinClusters, modularityOf } from './modularity.ts';

/** Objects among which neighbours are sought at once: kNN costs their square. */
const BLOCK = 8192;

/** Objects per small cluster, at least: of fewer the neighbours say little. */
const LEAST = 10;

type View = 'pairs' | 'images' | 'clouds';

/** Clusters of objects, and the view whose clusters hold best. */
export interface ObjectClusters extends Pick<Clusters, 'centres' | 'labels'> {
  readonly view: View;
  /** unit vector of each object, [N, d] */
  readonly rows: Float32Array;
  /** what `neighboursIn` finds; null where nothing was chosen by it */
  readonly neighbours: Int32Array[] | null;
}

/**
 * Clusters all objects by the view that `config.clusterBy` names or, for `best`, in each view. With config.joinedFrom above 1, k-means
 * finds that many small clusters per cluster, from several starts, which are joined (modularity.ts); fewer where they would have less
 * than 10 objects each. The better half of all clusterings, by their modularity among the neighbours, vote on each label; the view is that of
 * the best one.
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
  const most = Math.floor(embeddings.images.length / dimension / LEAST);
  const small = Math.min(joinedFrom * clusters, most);
  const isJoined = small > clusters;
  const neighbours = isJoined || views.length > 1 ? await neighboursIn(gpu, clusterBy, embeddings, config) : null;
  const joined = async (rows: Float32Array, at: number): Promise<Pick<Clusters, 'centres' | 'labels'>> => {
    const pieces = await kmeans(gpu, rows, dimension, {
      clusters: small,
      seed,
      stream: `${stream} ${at}`,
      restarts: 1,
    });
    const labels = joinClusters(pieces.labels, neighbours as Int32Array[], small, clusters);
    return { labels, centres: centresOf(rows, dimension, labels, clusters) };
  };
  const whole = (rows: Float32Array): Promise<Clusters> =>
    start
      ? lloydFrom(gpu, rows, dimension, start(rows))
      : kmeans(gpu, rows, dimension, { clusters, seed, stream, restarts });
  const found: (ObjectClusters & Held)[] = [];
  for (const view of views) {
    const rows = rowsOf(view, embeddings);
    for (let at = 0; at < (isJoined ? restarts : 1); at++) {
      const clustered = isJoined ? await joined(rows, at) : await whole(rows);
      const modularity = neighbours ? modularityOf(clustered.labels, neighbours, clusters) : 1;
      found.push({ ...clustered, view, rows, neighbours, modularity });
    }
  }
  const [best, ...others] = betterHalf(found);
  if (others.length === 0) return best;
  const labels = consensus(
    best.labels,
    others.map((one) => one.labels),
    clusters,
  );
  return { ...best, labels, centres: centresOf(best.rows, dimension, labels, clusters) };
}

const rowsOf = (view: View, { images, clouds, dimension }: Embeddings): Float32Array =>
  view === 'pairs' ? pairMeans(images, clouds, dimension) : { images, clouds }[view];

/**
 * The objects near each object: in the view that `clusterBy` names or, for `best`, in either modality. What is alike as an image and
 * what is alike as a cloud are two opinions, and where they differ neither decides alone.
 */
export async function neighboursIn(
  gpu: Gpu,
  clusterBy: NonNullable<Config['clusterBy']>,
  embeddings: Embeddings,
  config: Pick<Config, 'seed' | 'rdl'>,
): Promise<Int32Array[]> {
  const near = (view: View) => nearestObjects(gpu, rowsOf(view, embeddings), embeddings.dimension, config);
  if (clusterBy !== 'best') return near(clusterBy);
  const [byImage, byCloud] = [await near('images'), await near('clouds')];
  return byImage.map((others, row) => Int32Array.from([...others, ...byCloud[row]]));
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

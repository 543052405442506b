/** k-means (Lloyd) on the GPU; starts are drawn on the CPU by k-means++ (Arthur and Vassilvitskii 2007). */
import { columnSums } from '../../autograd/elementary.ts';
import source from '../../shaders/kmeans.wgsl';
import type { Gpu } from '../../tensor/device.ts';
import { RomoError } from '../../tensor/error.ts';
import { kernel, kernelPair, program } from '../../tensor/kernel.ts';
import { launch } from '../../tensor/launch.ts';
import { Random } from '../../tensor/random.ts';
import type { Tensor } from '../../tensor/tensor.ts';

const kmeansProgram = program('kmeans', source);
const assignKernel = kernel(kmeansProgram, 'assign');
const assign4Kernel = kernel(kmeansProgram, 'assign4');
const updateKernel = kernelPair(kmeansProgram, 'update');

const ITERATIONS = 25;

/** The result of k-means. */
export interface Clusters {
  /** [clusters, d] */
  centres: Float32Array;
  /** cluster of each row */
  labels: Int32Array;
  /** sum of squared distances to the centres */
  inertia: number;
}

/**
 * Cluster of each row of x [R, d] by squared Euclidean distance to centres [C, d]: i32 [R], and the distances f32 [R].
 */
export function assign(x: Tensor, centres: Tensor): { labels: Tensor; distances: Tensor } {
  const labels = x.gpu.empty([x.rows], 'i32');
  const distances = x.gpu.empty([x.rows]);
  const sizes = { rows: x.rows, channels: x.channels, clusters: centres.rows };
  const written = { assigned: labels, distances };
  const cut = { along: 'rows', invocations: x.rows, work: 3 * x.size * centres.rows };
  if (x.channels % 4 === 0) {
    launch(assign4Kernel, { x4: x, centres4: centres, ...written }, sizes, { ...cut, whole: ['centres4'] });
  } else launch(assignKernel, { x, centres, ...written }, sizes, { ...cut, whole: ['centres'] });
  return { labels, distances };
}

/** Moves every centre [C, d] to the mean of its rows, in place; an empty cluster keeps its centre. */
export function update(x: Tensor, labels: Tensor, centres: Tensor): void {
  const sizes = { rows: x.rows, channels: x.channels, clusters: centres.rows };
  launch(updateKernel, { members: x, labels, moved: centres }, sizes, {
    invocations: centres.size,
    work: 3 * x.rows * centres.size,
  });
}

/** Lloyd's iterations from given centres [C, d]; the labels belong to the returned centres. */
export async function lloyd(gpu: Gpu, x: Tensor, start: Float32Array, iterations: number): Promise<Clusters> {
  const [centres, labels, [inertia]] = await queueLloyd(gpu, x, start, iterations);
  return { centres, labels: labels as Int32Array, inertia };
}

/** The same from the values of x [R, d]. */
export function lloydFrom(gpu: Gpu, x: Float32Array, dimension: number, start: Float32Array): Promise<Clusters> {
  using _scope = gpu.scope();
  return lloyd(gpu, gpu.tensor(x, [x.length / dimension, dimension]), start, ITERATIONS);
}

/** Queues the iterations and the reads of centres, labels and inertia; its scope ends before anyone else makes tensors. */
function queueLloyd(gpu: Gpu, x: Tensor, start: Float32Array, iterations: number) {
  using _scope = gpu.scope();
  const centres = gpu.tensor(start, [start.length / x.channels, x.channels]);
  for (let i = 0; i < iterations; i++) {
    using _step = gpu.scope();
    const { labels } = assign(x, centres);
    update(x, labels, centres);
  }
  const { labels, distances } = assign(x, centres);
  const inertia = columnSums(distances, 1, 1);
  return Promise.all([centres.readFloats(), labels.read(), inertia.readFloats()]);
}

/** Centres that are far apart: rows are drawn in proportion to their squared distance to the nearest centre so far. */
export function kmeansPlusPlus(x: Float32Array, dimension: number, clusters: number, random: Random): Float32Array {
  const rows = x.length / dimension;
  const centres = new Float32Array(clusters * dimension);
  const nearest = new Float64Array(rows).fill(Number.MAX_VALUE);
  let chosen = random.integer(rows);
  for (let cluster = 0; cluster < clusters; cluster++) {
    centres.set(x.subarray(chosen * dimension, (chosen + 1) * dimension), cluster * dimension);
    let total = 0;
    for (let row = 0; row < rows; row++) {
      let distance = 0;
      // Most rows are nearer to another centre, which a part of the sum tells.
      for (let c = 0; c < dimension && distance < nearest[row]; c++) {
        const d = x[row * dimension + c] - x[chosen * dimension + c];
        distance += d * d;
      }
      nearest[row] = Math.min(nearest[row], distance);
      total += nearest[row];
    }
    let target = random.uniform() * total;
    chosen = rows - 1;
    for (let row = 0; row < rows; row++) {
      target -= nearest[row];
      if (target < 0) {
        chosen = row;
        break;
      }
    }
  }
  return centres;
}

/** Options of k-means. */
export interface KmeansOptions {
  clusters: number;
  seed: number;
  /** names the random stream */
  stream: string;
  /** number of starts; the result with the least inertia is kept; default 4 */
  restarts?: number;
  /** Lloyd's iterations per start; default 25 */
  iterations?: number;
}

/** Clusters the rows of x [R, d]. @throws RomoError `option` if there are fewer rows than clusters */
export async function kmeans(gpu: Gpu, x: Float32Array, dimension: number, options: KmeansOptions): Promise<Clusters> {
  const { clusters, seed, stream, restarts = 4, iterations = ITERATIONS } = options;
  const rows = x.length / dimension;
  if (rows < clusters) {
    throw new RomoError('option', `kmeans: ${rows} rows cannot make ${clusters} clusters`, 'Use fewer clusters.');
  }
  const tensor = gpu.tensor(x, [rows, dimension]).keep();
  try {
    let best: Clusters | null = null;
    for (let restart = 0; restart < restarts; restart++) {
      const start = kmeansPlusPlus(x, dimension, clusters, new Random(seed, 'kmeans', stream, restart));
      const found = await lloyd(gpu, tensor, start, iterations);
      if (!best || found.inertia < best.inertia) best = found;
    }
    return best as Clusters;
  } finally {
    tensor.dispose();
  }
}

/** The number of rows in each cluster. */
export function clusterSizes(labels: Int32Array, clusters: number): number[] {
  const sizes = new Array<number>(clusters).fill(0);
  for (const label of labels) sizes[label]++;
  return sizes;
}

/** Computes the numbers of the live figures with the library's kernels. */
import { expose } from 'comlink';
import {
  concat,
  edgeConv,
  type Gpu,
  isLost,
  knn,
  matmul,
  randomUniform,
  rcll,
  record,
  softmaxCrossEntropy,
  type Tensor,
} from 'romo';
import { tryOpenDevice } from '../shared/device.ts';

let gpu: Gpu | null = null;

async function device(): Promise<Gpu> {
  if (gpu) return gpu;
  const opening = await tryOpenDevice();
  if ('refused' in opening) throw new Error(opening.refused);
  gpu = opening.gpu;
  return gpu;
}

/** Runs `work` in its own scope, and once more on a new device if the first one is lost. */
async function onDevice<T>(work: (gpu: Gpu) => Promise<T>): Promise<T> {
  const attempt = async (opened: Gpu) => {
    using _scope = opened.scope();
    return await work(opened);
  };
  const opened = await device();
  try {
    return await attempt(opened);
  } catch (error) {
    if (!(await isLost(opened, error))) throw error;
    if (gpu === opened) gpu = null;
    return attempt(await device());
  }
}

export interface Edges {
  /** per neighbour: its index j, P_j, the sum P_j + Q_i, and the textbook form W [x_j - x_i ; x_i] */
  readonly rows: readonly {
    readonly index: number;
    readonly p: number;
    readonly sum: number;
    readonly textbook: number;
  }[];
  readonly q: number;
  /** edgeConv's output for the point and the channel, with an identity batch norm and slope 0.2 */
  readonly output: number;
}

export interface Curves {
  /** loss and -dl/dz_y of RCLL and cross entropy, at each probability */
  readonly rcll: { readonly loss: Float32Array; readonly pull: Float32Array };
  readonly crossEntropy: { readonly loss: Float32Array; readonly pull: Float32Array };
}

const CHANNELS = 4;

async function lossCurve(
  opened: Gpu,
  rows: readonly Float32Array[],
  loss: (logits: Tensor, labels: Tensor) => Tensor,
): Promise<{ loss: Float32Array; pull: Float32Array }> {
  const labels = opened.tensor([0], [1], 'i32');
  const losses: Tensor[] = [];
  const pulls: Tensor[] = [];
  for (const row of rows) {
    const logits = opened.tensor(row, [1, row.length]);
    logits.requiresGrad = true;
    const tape = record(opened, () => loss(logits, labels).keep());
    tape.backward();
    losses.push(tape.loss as Tensor);
    pulls.push(logits.grad as Tensor);
  }
  const [values, gradients] = await Promise.all([concat(losses, 0).readFloats(), concat(pulls, 0).readFloats()]);
  for (const tensor of [...losses, ...pulls]) tensor.dispose();
  const classes = rows[0].length;
  return { loss: values, pull: Float32Array.from(rows, (_, i) => -gradients[i * classes]) };
}

const figures = {
  async open(): Promise<string | null> {
    const opening = await tryOpenDevice();
    if ('refused' in opening) return opening.refused;
    gpu = opening.gpu;
    return null;
  },

  /** Random points in the plane [n, 2], -1..1, from the library's generator. */
  points: (count: number, seed: number): Promise<Float32Array> =>
    onDevice((opened) => randomUniform(opened, [count, 2], [seed, 7], -1, 1).readFloats()),

  /** The k nearest neighbours of every point [n, 2], as indices [n, k]. */
  neighbours: (points: Float32Array, k: number): Promise<Int32Array> =>
    onDevice(async (opened) => (await knn(opened.tensor(points, [1, points.length / 2, 2]), k).read()) as Int32Array),

  /** The edges of one point in both forms, for one output channel. */
  edges: (points: Float32Array, k: number, point: number, channel: number): Promise<Edges> =>
    onDevice(async (opened) => {
      const count = points.length / 2;
      const x = opened.tensor(points, [1, count, 2]);
      const flat = opened.tensor(points, [count, 2]);
      const weight = randomUniform(opened, [4, CHANNELS], [11, 12], -1, 1); // rows 0, 1: A^T; rows 2, 3: B^T
      const values = await weight.readFloats();
      const a = opened.tensor(values.subarray(0, 2 * CHANNELS), [2, CHANNELS]);
      const difference = values.slice(2 * CHANNELS).map((b, i) => b - values[i]);
      const [p, q] = [matmul(flat, a), matmul(flat, opened.tensor(difference, [2, CHANNELS]))];
      const graph = knn(x, k);
      const near = ((await graph.read()) as Int32Array).slice(point * k, (point + 1) * k);
      const at = (index: number, axis: number) => points[2 * index + axis];
      const edges = Array.from(near, (j) => [
        ...[0, 1].map((axis) => at(j, axis) - at(point, axis)),
        ...[0, 1].map((axis) => at(point, axis)),
      ]);
      const textbook = matmul(opened.tensor(edges.flat(), [k, 4]), weight);
      const ones = opened.tensor(new Float32Array(CHANNELS).fill(1), [CHANNELS]);
      const zeros = opened.zeros([CHANNELS]);
      const options = { training: false, slope: 0.2, eps: 0, runningMean: zeros, runningVar: ones };
      const output = edgeConv(x, graph, weight, ones, zeros, options);
      const [ps, qs, long, out] = await Promise.all([p, q, textbook, output].map((tensor) => tensor.readFloats()));
      const own = qs[point * CHANNELS + channel];
      const rows = Array.from(near, (index, i) => {
        const p = ps[index * CHANNELS + channel];
        return { index, p, sum: p + own, textbook: long[i * CHANNELS + channel] };
      });
      return { rows, q: own, output: out[point * CHANNELS + channel] };
    }),

  /** Loss and gradient for each probability of the label; the other `classes` - 1 share the rest equally. */
  curves: (probabilities: Float32Array, alpha: number, classes: number): Promise<Curves> =>
    onDevice(async (opened) => {
      const rows = Array.from(probabilities, (p) => {
        const row = new Float32Array(classes);
        row[0] = Math.log((p * (classes - 1)) / (1 - p));
        return row;
      });
      return {
        rcll: await lossCurve(opened, rows, (logits, labels) => rcll(logits, labels, { alpha })),
        crossEntropy: await lossCurve(opened, rows, softmaxCrossEntropy),
      };
    }),
};

export type FigureEngine = typeof figures;
expose(figures);

/**
 * The families of kernels, each as a few small calls of the ops that use them: sizes with odd tails, forward and gradients. The
 * inputs are the same numbers everywhere. expected.ts has what the definitions make of them.
 */
import type { Backend } from '../backends/backend.ts';
import { searchUntested } from '../search/exact.ts';
import type { Gpu } from '../tensor/device.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** The package as a program imports it, loaded with the first test: so no other module is split for the self-test's sake. */
let ops: typeof import('../index.ts');

/** What a family computed, by name. */
export type Outputs = Readonly<Record<string, ArrayLike<number>>>;

/** What kernels are tested for; each use when it begins. `bulk search` is a search for more than 16 queries at once. */
export type Use = 'embedding' | 'training' | 'search' | 'bulk search';

export interface Family {
  readonly name: string;
  /** what the backend decides about its kernels; a plainer backend may decide otherwise */
  readonly decidedBy: readonly (keyof Backend)[];
  /** Makes tensors that are not kept only before it first waits. */
  run(gpu: Gpu): Promise<Outputs>;
}

/** Number i of a stream, -0.5 to 0.5, with the same bits in every engine. */
export function numberAt(stream: number, i: number): number {
  const mixed = Math.imul(Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 15)) >>> 8) / 2 ** 24 - 0.5;
}

const numbers = (gpu: Gpu, stream: number, shape: readonly number[], middle = 0): Tensor => {
  const size = shape.reduce((product, length) => product * length, 1);
  return gpu.tensor(
    Float32Array.from({ length: size }, (_, i) => numberAt(stream, i) + middle),
    shape,
  );
};
const integers = (gpu: Gpu, count: number, of: (i: number) => number): Tensor =>
  gpu.tensor(
    Int32Array.from({ length: count }, (_, i) => of(i)),
    [count],
  );

async function read(tensors: Readonly<Record<string, Tensor>>): Promise<Outputs> {
  const entries = Object.entries(tensors).map(async ([name, tensor]) => [name, await tensor.read()] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** The gradients of an op's output, whose own gradient is given, by leaf. */
function gradients(leaves: Readonly<Record<string, Tensor>>, op: () => Tensor): Promise<Outputs> {
  const named = Object.entries(leaves);
  const { gpu } = named[0][1];
  for (const [, leaf] of named) leaf.requiresGrad = true;
  const tape = ops.record(gpu, op);
  tape.backward(numbers(gpu, 99, (tape.loss as Tensor).shape));
  const grads = named.map(([name, { grad }]) => [name, grad as Tensor] as const);
  const values = read(Object.fromEntries(grads));
  for (const [, grad] of grads) grad.dispose(); // the copies are queued
  return values;
}

const factors = (gpu: Gpu) => ({ a: numbers(gpu, 1, [70, 36]), b: numbers(gpu, 2, [36, 68]) });
const image3 = (gpu: Gpu) => ({ x: numbers(gpu, 5, [3, 9, 7, 16]), weight: numbers(gpu, 6, [3, 3, 16, 20]) });
const image5 = (gpu: Gpu) => ({ x: numbers(gpu, 7, [2, 9, 8, 3]), weight: numbers(gpu, 8, [5, 5, 3, 8]) });
const STRIDE_2 = { stride: 2, padding: 2 };

function products(gpu: Gpu): Promise<Outputs> {
  const { a, b } = factors(gpu);
  return read({
    'a b': ops.matmul(a, b),
    'of a batch with odd sides': ops.matmul(numbers(gpu, 3, [2, 33, 7]), numbers(gpu, 4, [2, 7, 9])),
  });
}

function convolutions(gpu: Gpu): Promise<Outputs> {
  const [three, five] = [image3(gpu), image5(gpu)];
  return read({
    '3x3': ops.conv2d(three.x, three.weight, { padding: 1 }),
    '5x5, stride 2': ops.conv2d(five.x, five.weight, STRIDE_2),
    '3x2, odd channels': ops.conv2d(numbers(gpu, 9, [2, 5, 5, 3]), numbers(gpu, 10, [3, 2, 3, 5])),
  });
}

const neighbours = (gpu: Gpu): Promise<Outputs> =>
  read({
    'of odd clouds': ops.knn(numbers(gpu, 11, [2, 37, 3]), 9),
    'of even clouds': ops.knn(numbers(gpu, 12, [1, 40, 8]), 9),
  });

function norms(gpu: Gpu, training: boolean) {
  const [x, residual] = [numbers(gpu, 22, [3, 7, 5, 12]), numbers(gpu, 23, [3, 7, 5, 12])];
  const [gamma, beta] = [numbers(gpu, 24, [12], 1), numbers(gpu, 25, [12])];
  const running = { runningMean: numbers(gpu, 20, [12]), runningVar: numbers(gpu, 21, [12], 1) };
  const op = () => ops.batchNorm(x, gamma, beta, { ...running, training, slope: 0.2, residual });
  return { leaves: { x, gamma, beta, residual }, op };
}

function edges(gpu: Gpu, training: boolean) {
  const [x, weight] = [numbers(gpu, 30, [2, 19, 4]), numbers(gpu, 31, [8, 12])];
  const [gamma, beta] = [numbers(gpu, 32, [12]), numbers(gpu, 33, [12])];
  const running = { runningMean: numbers(gpu, 34, [12]), runningVar: numbers(gpu, 35, [12], 1) };
  // Not from kNN, which is a family of its own.
  const graph = integers(gpu, 2 * 19 * 5, (i) => (Math.floor(i / 5) * 7 + (i % 5) * 3) % 19).view([2, 19, 5]);
  const op = () => ops.edgeConv(x, graph, weight, gamma, beta, { ...running, training, slope: 0.2 });
  return { leaves: { x, weight, gamma, beta }, op };
}

const forward = ({ op }: { op: () => Tensor }): Promise<Outputs> => read({ output: op() });
const backward = ({ leaves, op }: { leaves: Readonly<Record<string, Tensor>>; op: () => Tensor }): Promise<Outputs> =>
  gradients(leaves, op);

function pools(gpu: Gpu): Promise<Outputs> {
  const x = numbers(gpu, 40, [2, 7, 9, 4]);
  const maxima = ops.maxPool2d(x, { kernel: 3, stride: 2, padding: 1 });
  return read({ windows: maxima, maxima: ops.globalMaxPool(x), means: ops.globalMeanPool(x) });
}

function elements(gpu: Gpu): Promise<Outputs> {
  const [x, y] = [numbers(gpu, 50, [13, 12]), numbers(gpu, 51, [12])];
  const [s, t] = [numbers(gpu, 52, [7, 5]), numbers(gpu, 53, [7, 5])];
  return read({
    arithmetic: ops.leakyRelu(ops.mul(x, y), 0.2),
    joined: ops.concat([s, t], -1),
    'unit rows': ops.l2Normalize(x),
  });
}

function rowsOfTraining(gpu: Gpu): Promise<Outputs> {
  const [rows, index] = [numbers(gpu, 54, [11, 6]), integers(gpu, 23, (i) => (i * 5) % 11)];
  const logits = numbers(gpu, 56, [9, 13]);
  const drawn = { uniform: ops.randomUniform(gpu, [67], [3, 4]) };
  return read({
    gathered: ops.gather(rows, index),
    shares: ops.softmax(logits, 0.5),
    winners: ops.argmax(logits),
    ...drawn,
  });
}

async function gradientsOfProducts(gpu: Gpu): Promise<Outputs> {
  const leaves = factors(gpu);
  return gradients(leaves, () => ops.matmul(leaves.a, leaves.b));
}

async function gradientsOfConvolutions(gpu: Gpu): Promise<Outputs> {
  const [three, five] = [image3(gpu), image5(gpu)];
  const ofThree = gradients(three, () => ops.conv2d(three.x, three.weight, { padding: 1 }));
  const ofFive = gradients(five, () => ops.conv2d(five.x, five.weight, STRIDE_2));
  const { x, weight } = await ofFive;
  return { ...(await ofThree), 'x, stride 2': x, 'weight, stride 2': weight };
}

function gradientsOfPools(gpu: Gpu): Promise<Outputs> {
  const [x, y, z] = [40, 41, 42].map((stream) => numbers(gpu, stream, [2, 7, 9, 4]));
  return gradients({ x, y, z }, () =>
    ops.concat(
      [
        ops.globalMaxPool(x),
        ops.globalMeanPool(y),
        ops.globalMaxPool(ops.maxPool2d(z, { kernel: 3, stride: 2, padding: 1 })),
      ],
      -1,
    ),
  );
}

function losses(gpu: Gpu): Promise<Outputs> {
  const wide = 76; // classes: over 64, so that lanes share a row on GPUs
  const [a, b, pairs] = [numbers(gpu, 61, [10, wide]), numbers(gpu, 62, [10, wide]), numbers(gpu, 64, [10, 8])];
  const labels = integers(gpu, 10, (i) => (i * 3) % 7);
  return gradients({ a, b, pairs }, () =>
    ops.concat([ops.rcll(a, labels), ops.softmaxCrossEntropy(b, labels), ops.contrastive(pairs, { tau: 0.2 })], 0),
  );
}

async function clusters(gpu: Gpu): Promise<Outputs> {
  const start = Float32Array.from({ length: 15 * 6 }, (_, i) => numberAt(72, i));
  const bank = new ops.MemoryBank(gpu, start, 6);
  const indices = integers(gpu, 5, (i) => 3 * i);
  bank.update(numbers(gpu, 73, [5, 6]), indices, 0.9);
  const rows = bank.rows.readFloats();
  bank.dispose(); // the copy is queued
  const x = Float32Array.from({ length: 101 * 12 }, (_, i) => numberAt(70, i));
  const options = { clusters: 7, seed: 1, stream: 'self-test', restarts: 1, iterations: 2 };
  const { centres, labels, inertia } = await ops.kmeans(gpu, x, 12, options);
  return { 'memory bank': await rows, centres, labels, inertia: [inertia] };
}

/** A backend may have a kernel each for many queries, for some and for one. */
const search =
  (counts: readonly number[]) =>
  async (gpu: Gpu): Promise<Outputs> => {
    const rowsOf = (stream: number, rows: number) =>
      Float32Array.from({ length: rows * 12 }, (_, i) => numberAt(stream, i));
    const asked = counts.map(async (count) => {
      const { scores, rows } = await searchUntested(gpu, () => [rowsOf(13, 131)], 12, rowsOf(14, count), 5);
      return { [`scores of ${count}`]: scores, [`rows of ${count}`]: rows };
    });
    return Object.assign({}, ...(await Promise.all(asked)));
  };

/** Two steps of a small network from the same start, with new numbers before each. @param recorded replays one recorded step */
async function twoSteps(gpu: Gpu, recorded: boolean): Promise<Float32Array[]> {
  const shapes = { kernel: [12, 8], gamma: [8], weight: [8, 76] };
  const parameters = new Map(
    Object.entries(shapes).map(([name, shape], i) => [name, numbers(gpu, 80 + i, shape).keep()]),
  );
  for (const parameter of parameters.values()) parameter.requiresGrad = true;
  const [kernel, gamma, weight] = [...parameters.values()];
  const fixed = [gpu.zeros([8]), gpu.zeros([8]), numbers(gpu, 84, [8], 1), integers(gpu, 10, (i) => (2 * i) % 76)];
  const [beta, runningMean, runningVar, labels] = fixed.map((tensor) => tensor.keep());
  const rows = gpu.zeros([10, 12]).keep();
  const sgd = new ops.Sgd(gpu, parameters, { learningRate: 0.1, momentum: 0.9 });
  const step = () => {
    using _scope = gpu.scope();
    const tape = ops.record(gpu, () => {
      const options = { runningMean, runningVar, training: true, slope: 0 };
      const hidden = ops.batchNorm(ops.matmul(rows, kernel), gamma, beta, options);
      return ops.softmaxCrossEntropy(ops.matmul(hidden, weight), labels);
    });
    const loss = (tape.loss as Tensor).keep();
    tape.backward();
    sgd.step();
    return loss;
  };
  const replay = recorded ? (await ops.Replay.record(gpu, step)).replay : null;
  for (const stream of [85, 86]) {
    rows.write(Float32Array.from({ length: rows.size }, (_, i) => numberAt(stream, i)));
    if (replay) replay.run();
    else step().dispose();
  }
  const values = await Promise.all([...parameters.values()].map((parameter) => parameter.readFloats()));
  replay?.dispose();
  sgd.dispose();
  for (const tensor of [...parameters.values(), beta, runningMean, runningVar, labels, rows]) tensor.dispose();
  return values;
}

async function steps(gpu: Gpu): Promise<Outputs> {
  const [plain, recorded] = await Promise.all([twoSteps(gpu, false), twoSteps(gpu, true)]);
  const difference = plain.flatMap((values, i) => [...values].map((value, n) => value - recorded[i][n]));
  return { 'its parameters': plain.flatMap((values) => [...values]), 'recorded less unrecorded': difference };
}

/** In an order in which each builds on those before only. */
const FAMILIES: Readonly<Record<Use, readonly Family[]>> = {
  embedding: [
    { name: 'elementwise kernels', decidedBy: ['isWide'], run: elements },
    { name: 'matrix products', decidedBy: ['multiply'], run: products },
    { name: 'convolutions', decidedBy: ['convolution'], run: convolutions },
    { name: 'nearest neighbours', decidedBy: ['nearest'], run: neighbours },
    { name: 'batch norm', decidedBy: ['isWide'], run: (gpu) => forward(norms(gpu, false)) },
    { name: 'EdgeConv', decidedBy: ['isWide'], run: (gpu) => forward(edges(gpu, false)) },
    { name: 'pooling', decidedBy: ['isWide'], run: pools },
  ],
  training: [
    { name: 'rows and random numbers', decidedBy: ['isWide'], run: rowsOfTraining },
    { name: 'gradients of matrix products', decidedBy: ['multiply'], run: gradientsOfProducts },
    { name: 'gradients of convolutions', decidedBy: ['convolution'], run: gradientsOfConvolutions },
    { name: 'gradients of batch norm', decidedBy: ['isWide'], run: (gpu) => backward(norms(gpu, true)) },
    { name: 'gradients of EdgeConv', decidedBy: ['isWide'], run: (gpu) => backward(edges(gpu, true)) },
    { name: 'gradients of pooling', decidedBy: ['isWide'], run: gradientsOfPools },
    { name: 'losses', decidedBy: ['rowLanes'], run: losses },
    { name: 'clustering', decidedBy: ['isWide'], run: clusters },
    { name: 'a recorded step', decidedBy: [], run: steps },
  ],
  search: [{ name: 'search', decidedBy: ['scan'], run: search([1, 11]) }],
  'bulk search': [{ name: 'search for many queries', decidedBy: ['scan'], run: search([17]) }],
};

/** All families. */
export async function families(): Promise<typeof FAMILIES> {
  ops ??= await import('../index.ts');
  return FAMILIES;
}

/** The factorised EdgeConv against its textbook form, in which every edge is expanded. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { edgeConv } from '../../src/autograd/edge_conv.ts';
import * as reference from '../reference/edge_conv.ts';
import { knn } from '../reference/knn.ts';
import { forwardBackward } from '../support/backward.ts';
import { assertValues } from '../support/close.ts';
import { hashUniform } from '../support/fixture.ts';
import { gpuSuite, times } from '../support/gpu.ts';
import { type Argument, argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('edgeConv');

interface Case {
  x: Argument;
  k: number;
  neighbours: Int32Array;
  gamma: Float32Array;
  training: boolean;
  slope: number;
  /** inputs whose gradients are compared; which of several equal points gets the gradient is a convention */
  leaves?: readonly ('x' | 'weight' | 'gamma' | 'beta')[];
}

const ALL = ['x', 'weight', 'gamma', 'beta'] as const;

async function check({ x, k, neighbours, gamma, training, slope, leaves = ALL }: Case): Promise<void> {
  using _ = gpu().scope();
  const [batch, points, channels] = x.shape;
  const outChannels = gamma.length;
  const graph = gpu().tensor(neighbours, [batch, points, k]);
  const mean = argument('mean', [outChannels]).data;
  const variance = argument('variance', [outChannels], 0.5, 2).data;
  const runningMean = gpu().tensor(mean, [outChannels]);
  const runningVar = gpu().tensor(variance, [outChannels]);
  const options = { momentum: 0.3, eps: 1e-5, training, slope };
  const inputs = [
    x,
    argument('weight', [2 * channels, outChannels]),
    { data: gamma, shape: [outChannels] },
    argument('beta', [outChannels]),
  ];
  const expected = ([p, weight, g, beta]: readonly ArrayLike<number>[]) =>
    reference.edgeConv(p, x.shape, neighbours, weight, g, beta, {
      ...options,
      runningMean: mean,
      runningVar: variance,
    });
  const exact = expected(inputs.map(({ data }) => data));
  const name = `edgeConv [${x.shape}], k ${k}, gamma ${gamma.slice(0, 4)}, training ${training}, slope ${slope}`;
  /** All inputs: the leaves and the constants. */
  const complete = <T>(given: readonly T[], fixed: (input: Argument) => T): T[] =>
    inputs.map((input, i) => (leaves.includes(ALL[i]) ? given[leaves.indexOf(ALL[i])] : fixed(input)));
  await gradcheck(gpu(), {
    name,
    inputs: inputs.filter((_input, i) => leaves.includes(ALL[i])),
    op: (given) => {
      const [p, weight, g, beta] = complete(given, ({ data, shape }) => gpu().tensor(data, shape));
      return edgeConv(p, graph, weight, g, beta, { ...options, runningMean, runningVar });
    },
    reference: (given) => expected(complete(given, ({ data }) => Float64Array.from(data))).y,
    tolerance: { rtol: 1e-4, atol: 1e-4 },
  });
  const tolerance = { rtol: 1e-4, atol: 1e-5 };
  assertValues('edgeConv, running mean', await runningMean.readFloats(), exact.runningMean, tolerance);
  assertValues('edgeConv, running variance', await runningVar.readFloats(), exact.runningVar, tolerance);
}

/** gamma of both signs, or of one. */
const gammas = (outChannels: number, sign: number): Float32Array => {
  const both = argument('gamma', [outChannels], -1.5, 1.5).data;
  return sign === 0 ? both : both.map((value) => sign * Math.abs(value));
};

const shapes = {
  batch: fc.constantFrom(1, 2, 3),
  points: fc.constantFrom(1, 2, 7, 8, 15, 16, 17, 23),
  channels: fc.constantFrom(1, 3, 4, 8),
  most: fc.constantFrom(1, 2, 5, 8, 100), // k; 100: all points
  outChannels: fc.constantFrom(1, 3, 4, 8, 12), // multiples of 4 use the vec4 kernels
  sign: fc.constantFrom(-1, 0, 1),
  training: fc.boolean(),
  slope: fc.constantFrom(0, 0.2, 1),
};

test('on the graph of nearest neighbours: values, running statistics and gradients', async () => {
  await fc.assert(
    fc.asyncProperty(fc.record(shapes), async ({ batch, points, channels, most, outChannels, sign, ...rest }) => {
      const k = Math.min(most, points);
      fc.pre(batch * points * k > 2); // batch norm of one edge has no variance
      const x = argument(`points ${points}`, [batch, points, channels]);
      const neighbours = knn(x.data, x.shape, k);
      await check({ x, k, neighbours, gamma: gammas(outChannels, sign), ...rest });
    }),
    { numRuns: times(30) },
  );
});

test('on any graph: points that nobody names, and points that all name', async () => {
  await fc.assert(
    fc.asyncProperty(fc.record(shapes), fc.nat(1000), async (c, seed) => {
      const { batch, points, channels, most, outChannels, sign, training, slope } = c;
      const k = Math.min(most, points);
      fc.pre(batch * points * k > 2);
      const x = argument(`points ${points}`, [batch, points, channels]);
      const unit = hashUniform(`graph ${seed}`, batch * points * points);
      const neighbours = new Int32Array(batch * points * k);
      for (let point = 0; point < batch * points; point++) {
        // Random order within each half, lower half first.
        const key = (j: number) => unit[point * points + j] + (2 * j < points ? 0 : 2);
        const order = Array.from({ length: points }, (_, j) => j).sort((i, j) => key(i) - key(j));
        neighbours.set(order.slice(0, k), point * k);
      }
      await check({ x, k, neighbours, gamma: gammas(outChannels, sign), training, slope });
    }),
    { numRuns: times(15) },
  );
});

test('gamma of zero: y is act(beta) whichever edge wins', async () => {
  const x = argument('x', [2, 9, 3]);
  const neighbours = knn(x.data, x.shape, 4);
  for (const training of [true, false]) {
    const leaves = ['x', 'weight', 'beta'] as const; // the gradient of gamma depends on the winner
    await check({ x, k: 4, neighbours, gamma: new Float32Array(4), training, slope: 0.2, leaves });
  }
});

test('repeated points', async () => {
  for (const channels of [3, 4]) {
    const unique = argument('x', [1, 5, channels]).data;
    const data = Float32Array.from({ length: 2 * 20 * channels }, (_, i) => unique[i % unique.length]);
    const x = { data, shape: [2, 20, channels] };
    for (const outChannels of [3, 8]) {
      const gamma = gammas(outChannels, 0);
      const neighbours = knn(data, x.shape, 7);
      const leaves = ['weight', 'gamma', 'beta'] as const;
      await check({ x, k: 7, neighbours, gamma, training: true, slope: 0.2, leaves });
    }
  }
});

test('points far from the origin cost the statistics no digits', async () => {
  const x = argument('x', [2, 16, 3], 99, 101);
  const neighbours = knn(x.data, x.shape, 5);
  const outChannels = 4;
  await check({ x, k: 5, neighbours, gamma: gammas(outChannels, 0), training: false, slope: 1 });
});

test('the same gradients bit for bit each time, also where all name one point', async () => {
  const [points, k] = [1000, 4];
  const neighbours = Int32Array.from({ length: points * k }, (_, edge) => {
    const slot = edge % k;
    return slot === 0 ? 0 : 1 + ((Math.floor(edge / k) * 7 + slot) % (points - 1));
  });
  const inputs = [
    argument('x', [1, points, 4]),
    argument('weight', [8, 8]),
    argument('gamma', [8]),
    argument('beta', [8]),
  ];
  const seed = argument('seed', [1, points, 8]).data;
  const run = async () => {
    using _ = gpu().scope();
    const graph = gpu().tensor(neighbours, [1, points, k]);
    const [x, weight, gamma, beta] = inputs.map(({ data, shape }) => gpu().tensor(data, shape));
    const options = { training: true, runningMean: gpu().zeros([8]), runningVar: gpu().zeros([8]) };
    const op = () => edgeConv(x, graph, weight, gamma, beta, options);
    return (await forwardBackward(gpu(), [x, weight, gamma, beta], op, seed)).gradients;
  };
  const first = await run();
  for (let round = 0; round < 3; round++) assert.equal(await run(), first);
});

test('shapes that do not fit are named', () => {
  const [x, graph] = [gpu().empty([2, 5, 3]), gpu().empty([2, 5, 4], 'i32')];
  const [weight, eight] = [gpu().empty([6, 8]), gpu().empty([8])];
  const options = { training: true, runningMean: eight, runningVar: eight };
  const five = gpu().empty([5, 8]);
  assert.throws(() => edgeConv(x, graph, five, eight, eight, options), /edgeConv: .*x \[2,5,3\], .*weight \[5,8\]/);
  const other = gpu().empty([2, 4, 4], 'i32');
  assert.throws(() => edgeConv(x, other, weight, eight, eight, options), /neighbours \[2,4,4\]/);
  assert.throws(() => edgeConv(x, graph, weight, gpu().empty([3]), eight, options), /gamma \[3\]/);
});

test.run();

/** The factorised EdgeConv against its textbook form, in which every edge is expanded; gamma has both signs. */
import fc from 'fast-check';
import { edgeConv } from '../../src/autograd/edge_conv.ts';
import * as reference from '../reference/edge_conv.ts';
import { knn } from '../reference/knn.ts';
import { assertClose } from '../support/close.ts';
import { gpuSuite } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('edgeConv');

async function check(shape: number[], k: number, neighbours: Int32Array, outChannels: number, training: boolean) {
  using _ = gpu().scope();
  const [batch, points, channels] = shape;
  const graph = gpu().tensor(neighbours, [batch, points, k]);
  const runningMean = gpu().zeros([outChannels]);
  const runningVar = gpu().tensor(new Float32Array(outChannels).fill(1), [outChannels]);
  const options = { momentum: 0.1, eps: 1e-5, training, slope: 0.2 };
  const inputs = [
    argument('x', shape),
    argument('weight', [2 * channels, outChannels]),
    argument('gamma', [outChannels]),
    argument('beta', [outChannels]),
  ];
  const expected = ([x, weight, gamma, beta]: readonly ArrayLike<number>[]) =>
    reference.edgeConv(x, shape, neighbours, weight, gamma, beta, {
      ...options,
      runningMean: new Float64Array(outChannels),
      runningVar: new Float64Array(outChannels).fill(1),
    });
  await gradcheck(gpu(), {
    name: `edgeConv [${shape}], k ${k}, out ${outChannels}`,
    inputs,
    op: ([x, weight, gamma, beta]) => edgeConv(x, graph, weight, gamma, beta, { ...options, runningMean, runningVar }),
    reference: (values) => expected(values).y,
    tolerance: { rtol: 1e-3, atol: 1e-4 },
    gradientRtol: 3e-3,
    gradientAtol: 1e-3,
  });
  const statistics = expected(inputs.map(({ data }) => data));
  assertClose('running mean', await runningMean.readFloats(), statistics.runningMean, { rtol: 1e-4, atol: 1e-5 });
  assertClose('running variance', await runningVar.readFloats(), statistics.runningVar, { rtol: 1e-4, atol: 1e-5 });
}

test('on the graph of nearest neighbours', async () => {
  const cases = fc.record({
    batch: fc.integer({ min: 1, max: 3 }),
    points: fc.integer({ min: 3, max: 40 }),
    channels: fc.constantFrom(3, 4, 8, 13),
    most: fc.integer({ min: 1, max: 9 }),
    outChannels: fc.constantFrom(1, 5, 8, 16),
    training: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ batch, points, channels, most, outChannels, training }) => {
      const shape = [batch, points, channels];
      const k = Math.min(most, points);
      await check(shape, k, knn(argument('x', shape).data, shape, k), outChannels, training);
    }),
    { numRuns: 25 },
  );
});

test('where two points are neighbours of all', async () => {
  const [points, k] = [300, 20];
  const neighbours = Int32Array.from({ length: 2 * points * k }, (_, edge) => {
    const slot = edge % k;
    const point = Math.floor(edge / k);
    return slot < 2 ? slot : 2 + ((point * 7919 + slot * 14) % (points - 2));
  });
  await check([2, points, 8], k, neighbours, 16, true);
});

test.run();

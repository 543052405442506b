/** Batch norm with its activation and residual, in training and evaluation, against the float64 reference. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { batchNorm } from '../../src/autograd/batch_norm.ts';
import * as reference from '../reference/batch_norm.ts';
import { assertClose, assertValues } from '../support/close.ts';
import { gpuSuite, times } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('batchNorm');

interface Case {
  rows: number;
  channels: number;
  training: boolean;
  slope: number;
  residual: boolean;
  /** the first gamma is zero */
  zero?: boolean;
}

async function check({ rows, channels, training, slope, residual, zero = false }: Case): Promise<void> {
  using _ = gpu().scope();
  const mean = argument('mean', [channels]);
  const variance = argument('variance', [channels], 0.5, 2);
  const options = { momentum: 0.3, eps: 1e-5, training, slope };
  const runningMean = gpu().tensor(mean.data, mean.shape);
  const runningVar = gpu().tensor(variance.data, variance.shape);
  const expected = (inputs: readonly ArrayLike<number>[]) =>
    reference.batchNorm(inputs[0], inputs[1], inputs[2], {
      ...options,
      runningMean: mean.data,
      runningVar: variance.data,
      residual: inputs[3],
    });
  const gamma = argument('gamma', [channels]); // of both signs
  if (zero) gamma.data[0] = 0;
  const inputs = [
    argument('x', [rows, channels], -1, 3),
    gamma,
    argument('beta', [channels]),
    ...(residual ? [argument('residual', [rows, channels])] : []),
  ];
  await gradcheck(gpu(), {
    name: `batchNorm of ${rows} x ${channels}`,
    inputs,
    op: ([x, gamma, beta, added]) =>
      batchNorm(x, gamma, beta, { ...options, runningMean, runningVar, residual: added }),
    reference: (values) => expected(values).y,
    tolerance: { rtol: 1e-4, atol: 1e-4 },
  });
  const { runningMean: newMean, runningVar: newVar } = expected(inputs.map(({ data }) => data));
  assertValues('batchNorm, running mean', await runningMean.readFloats(), newMean, { rtol: 1e-5, atol: 1e-6 });
  assertValues('batchNorm, running variance', await runningVar.readFloats(), newVar, { rtol: 1e-5, atol: 1e-6 });
}

const cases: fc.Arbitrary<Case> = fc.record({
  rows: fc.constantFrom(1, 2, 3, 7, 16, 17, 63, 64, 65, 300),
  channels: fc.constantFrom(1, 3, 4, 8, 13, 16, 40), // multiples of 4 use the vec4 kernels
  training: fc.boolean(),
  slope: fc.constantFrom(0, 0.2, 1),
  residual: fc.boolean(),
  zero: fc.boolean(),
});

test('values, running statistics and gradients', async () => {
  await fc.assert(fc.asyncProperty(cases, check), { numRuns: times(40) });
});

test('many rows', async () => {
  for (const channels of [3, 4]) await check({ rows: 3000, channels, training: true, slope: 1, residual: false });
});

test('a mean far from zero costs no digits', async () => {
  for (const channels of [3, 4]) {
    using _ = gpu().scope();
    const shape = [500, channels];
    // 1000 + a multiple of 1/1024: exact in f32, so only the kernel can lose digits.
    const data = argument('x', shape).data.map((value) => 1000 + Math.round(1024 * value) / 1024);
    const [ones, zeros] = [new Float32Array(channels).fill(1), new Float32Array(channels)];
    const runningMean = gpu().tensor(zeros, [channels]);
    const runningVar = gpu().tensor(zeros, [channels]);
    const [gamma, beta] = [gpu().tensor(ones, [channels]), gpu().tensor(zeros, [channels])];
    const options = { training: true, momentum: 1 };
    const y = batchNorm(gpu().tensor(data, shape), gamma, beta, { ...options, runningMean, runningVar });
    const expected = reference.batchNorm(data, ones, zeros, { ...options, runningMean: zeros, runningVar: zeros });
    assertClose('y', await y.readFloats(), expected.y, { rtol: 1e-3, atol: 1e-3 });
    assertClose('running mean', await runningMean.readFloats(), expected.runningMean, { rtol: 1e-6, atol: 0 });
    assertClose('running variance', await runningVar.readFloats(), expected.runningVar, { rtol: 1e-4, atol: 0 });
  }
});

test('a constant channel and a single row: no NaN', async () => {
  for (const rows of [1, 5]) {
    using _ = gpu().scope();
    const x = gpu().tensor(new Float32Array(rows * 4).fill(7), [rows, 4]);
    const [gamma, beta] = [gpu().tensor([1, -1, 2, 0], [4]), gpu().tensor([1, 2, 3, 4], [4])];
    const [runningMean, runningVar] = [gpu().zeros([4]), gpu().tensor([1, 1, 1, 1], [4])];
    const y = batchNorm(x, gamma, beta, { training: true, runningMean, runningVar });
    const expected = Float32Array.from({ length: rows * 4 }, (_, i) => 1 + (i % 4));
    assertClose('y', await y.readFloats(), expected, { rtol: 0, atol: 1e-6 });
    assertClose('running mean', await runningMean.readFloats(), [0.7, 0.7, 0.7, 0.7], { rtol: 1e-6, atol: 0 });
    assertClose('running variance', await runningVar.readFloats(), [0.9, 0.9, 0.9, 0.9], { rtol: 1e-6, atol: 0 });
  }
});

test('variances far below epsilon', async () => {
  const channels = 4;
  const { data } = argument('x', [20, channels], -1e-4, 1e-4);
  const [ones, zeros] = [new Float32Array(channels).fill(1), new Float32Array(channels)];
  for (const training of [true, false]) {
    using _ = gpu().scope();
    const [x, gamma, beta] = [
      gpu().tensor(data, [20, channels]),
      gpu().tensor(ones, [channels]),
      gpu().zeros([channels]),
    ];
    const [runningMean, runningVar] = [gpu().zeros([channels]), gpu().zeros([channels])];
    const y = batchNorm(x, gamma, beta, { training, runningMean, runningVar });
    const expected = reference.batchNorm(data, ones, zeros, { training, runningMean: zeros, runningVar: zeros });
    assertClose(`y, training ${training}`, await y.readFloats(), expected.y, { rtol: 1e-4, atol: 1e-6 });
  }
});

test('images: all axes but the last are rows', async () => {
  using _ = gpu().scope();
  const shape = [2, 3, 5, 8];
  const statistics = argument('statistics', [8], 0.5, 1);
  const [runningMean, runningVar] = [1, 2].map(() => gpu().tensor(statistics.data, [8]));
  await gradcheck(gpu(), {
    name: 'batchNorm of images',
    inputs: [argument('x', shape), argument('gamma', [8]), argument('beta', [8])],
    op: ([x, gamma, beta]) => batchNorm(x, gamma, beta, { training: true, runningMean, runningVar }),
    reference: ([x, gamma, beta]) =>
      reference.batchNorm(x, gamma, beta, {
        training: true,
        runningMean: statistics.data,
        runningVar: statistics.data,
      }).y,
    tolerance: { rtol: 1e-4, atol: 1e-4 },
  });
});

test('shapes that do not fit are named', () => {
  const x = gpu().empty([5, 4]);
  const good = gpu().empty([4]);
  const bad = gpu().empty([3]);
  const options = { training: true, runningMean: good, runningVar: good };
  assert.throws(() => batchNorm(x, bad, good, options), /batchNorm: .*gamma \[3\], x \[5,4\]/);
  assert.throws(() => batchNorm(x, good, bad, options), /batchNorm: .*beta \[3\]/);
  assert.throws(() => batchNorm(x, good, good, { ...options, runningVar: bad }), /batchNorm: .*runningVar \[3\]/);
  const residual = gpu().empty([4, 4]);
  assert.throws(() => batchNorm(x, good, good, { ...options, residual }), /residual \[4,4\], x \[5,4\]/);
});

test.run();

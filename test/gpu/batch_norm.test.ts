/** Batch norm with its activation and residual, in training and evaluation, against the float64 reference. */
import fc from 'fast-check';
import { batchNorm } from '../../src/autograd/batch_norm.ts';
import * as reference from '../reference/batch_norm.ts';
import { assertClose } from '../support/close.ts';
import { gpuSuite } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('batchNorm');

interface Case {
  rows: number;
  channels: number;
  training: boolean;
  slope: number;
  residual: boolean;
}

async function check({ rows, channels, training, slope, residual }: Case): Promise<void> {
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
  const inputs = [
    argument('x', [rows, channels], -1, 3),
    argument('gamma', [channels]),
    argument('beta', [channels]),
    ...(residual ? [argument('residual', [rows, channels])] : []),
  ];
  await gradcheck(gpu(), {
    name: `batchNorm ${rows} x ${channels}`,
    inputs,
    op: ([x, gamma, beta, added]) =>
      batchNorm(x, gamma, beta, { ...options, runningMean, runningVar, residual: added }),
    reference: (values) => expected(values).y,
    tolerance: { rtol: 1e-3, atol: 1e-4 },
    gradientRtol: 3e-3,
    gradientAtol: 1e-3,
  });
  const { runningMean: newMean, runningVar: newVar } = expected(inputs.map(({ data }) => data));
  assertClose('running mean', await runningMean.readFloats(), newMean, { rtol: 1e-4, atol: 1e-5 });
  assertClose('running variance', await runningVar.readFloats(), newVar, { rtol: 1e-4, atol: 1e-5 });
  runningMean.dispose();
  runningVar.dispose();
}

test('values, running statistics and gradients', async () => {
  const cases = fc.record({
    rows: fc.integer({ min: 3, max: 300 }),
    channels: fc.integer({ min: 1, max: 40 }),
    training: fc.boolean(),
    slope: fc.constantFrom(0, 0.2, 1),
    residual: fc.boolean(),
  });
  await fc.assert(fc.asyncProperty(cases, check), { numRuns: 25 });
});

test('many rows', async () => {
  await check({ rows: 20000, channels: 3, training: true, slope: 1, residual: false });
});

test.run();

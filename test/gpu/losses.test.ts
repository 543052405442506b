/** Losses against their float64 references, from flat logits to ones whose softmax is 0 and 1. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { contrastive, rcll, softCrossEntropy, softmaxCrossEntropy } from '../../src/autograd/losses.ts';
import * as contrastiveReference from '../reference/contrastive.ts';
import * as crossEntropy from '../reference/cross_entropy.ts';
import * as rcllReference from '../reference/rcll.ts';
import { forwardBackward } from '../support/backward.ts';
import { assertClose } from '../support/close.ts';
import { gpuSuite } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('losses');

const cases = fc
  .record({
    rows: fc.integer({ min: 1, max: 60 }),
    classes: fc.integer({ min: 2, max: 45 }),
    spread: fc.constantFrom(1, 8, 60),
    alpha: fc.constantFrom(0, 0.25, 0.65, 1),
  })
  .map(({ rows, classes, spread, alpha }) => ({
    rows,
    classes,
    alpha,
    logits: argument(`logits ${rows} ${classes}`, [rows, classes], -spread, spread),
    labels: Int32Array.from({ length: rows }, (_, row) => (row * 7 + 3) % classes),
  }));

test('softmaxCrossEntropy', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ rows, logits, labels }) => {
      const target = gpu().tensor(labels, [rows]);
      await gradcheck(gpu(), {
        name: 'softmaxCrossEntropy',
        inputs: [logits],
        op: ([x]) => softmaxCrossEntropy(x, target),
        reference: ([x]) => [crossEntropy.softmaxCrossEntropy(x, labels)],
      });
      target.dispose();
    }),
    { numRuns: 20 },
  );
});

test('softCrossEntropy', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ rows, classes, logits }) => {
      const targets = crossEntropy.logSoftmax(argument('targets', [rows, classes]).data, classes).map(Math.exp);
      const target = gpu().tensor(Float32Array.from(targets), [rows, classes]);
      await gradcheck(gpu(), {
        name: 'softCrossEntropy',
        inputs: [logits],
        op: ([x]) => softCrossEntropy(x, target),
        reference: ([x]) => [crossEntropy.softCrossEntropy(x, targets, classes)],
      });
      target.dispose();
    }),
    { numRuns: 20 },
  );
});

test('rcll', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ rows, logits, labels, alpha }) => {
      const target = gpu().tensor(labels, [rows]);
      await gradcheck(gpu(), {
        name: `rcll, alpha ${alpha}`,
        inputs: [logits],
        op: ([x]) => rcll(x, target, { alpha }),
        reference: ([x]) => [rcllReference.rcll(x, labels, { alpha })],
        tolerance: { rtol: 1e-3, atol: 1e-4 },
      });
      target.dispose();
    }),
    { numRuns: 20 },
  );
});

test('rcll: an uncertain sample costs a constant and sends no gradient; a certain one gives no NaN', async () => {
  const logits = gpu().tensor([0, 5, 5, 5, 200, 0, 0, 0], [2, 4]);
  const labels = gpu().tensor(Int32Array.of(0, 0), [2]);
  const { output, gradients } = await forwardBackward(gpu(), [logits], () => rcll(logits, labels));
  const constant = rcllReference.rcllOfProbability(1 / 4, 0.25);
  assertClose('loss', output, [constant / 2], { rtol: 1e-4, atol: 1e-5 });
  assertClose('gradient', gradients[0].subarray(0, 4), [0, 0, 0, 0], { rtol: 0, atol: 0 });
  assert.ok(gradients[0].every(Number.isFinite));
});

test('contrastive', async () => {
  const tau = fc.constantFrom(0.05, 0.15, 1);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 2, max: 70 }),
      tau,
      async (pairs, channels, t) => {
        await gradcheck(gpu(), {
          name: `contrastive, tau ${t}`,
          inputs: [argument('features', [2 * pairs, channels])],
          op: ([x]) => contrastive(x, { tau: t }),
          reference: ([x]) => [contrastiveReference.contrastive(x, channels, t)],
        });
      },
    ),
    { numRuns: 15 },
  );
});

test.run();

/** The losses of the compared methods against their float64 references: values and gradients, over odd shapes. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import * as losses from '../../src/compare/losses.ts';
import * as reference from '../reference/compared_losses.ts';
import { logSoftmax } from '../reference/cross_entropy.ts';
import { forwardBackward } from '../support/backward.ts';
import { assertClose, assertValues } from '../support/close.ts';
import { gpuSuite, times } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('compared losses');
const RUNS = { numRuns: times(6) };
const tolerance = { rtol: 1e-4, atol: 1e-5 };

const rows = fc.constantFrom(2, 3, 7, 33);
const classes = fc.constantFrom(2, 3, 10, 17);
const spreads = fc.constantFrom(0.1, 3, 12); // flat and steep logits
const labelsOf = (count: number, of: number) => Int32Array.from({ length: count }, (_, row) => (row * 7 + 3) % of);

test('losses of labels: MAE, GCE, SCE and robust clustering', async () => {
  const sce = { alpha: 0.1, beta: 1, A: -4 };
  await fc.assert(
    fc.asyncProperty(rows, classes, spreads, async (count, of, spread) => {
      using _ = gpu().scope();
      const labels = labelsOf(count, of);
      const target = gpu().tensor(labels, [count]);
      const eye = losses.identity(gpu(), of);
      const inputs = [argument(`logits ${count} ${of}`, [count, of], -spread, spread)];
      const check = { inputs, tolerance };
      await gradcheck(gpu(), {
        ...check,
        name: 'meanAbsoluteError',
        op: ([x]) => losses.meanAbsoluteError(x, target, eye),
        reference: ([x]) => [reference.meanAbsoluteError(x, labels)],
      });
      await gradcheck(gpu(), {
        ...check,
        name: 'generalisedCrossEntropy',
        op: ([x]) => losses.generalisedCrossEntropy(x, target, eye, 0.7),
        reference: ([x]) => [reference.generalisedCrossEntropy(x, labels, 0.7)],
      });
      await gradcheck(gpu(), {
        ...check,
        name: 'symmetricCrossEntropy',
        op: ([x]) => losses.symmetricCrossEntropy(x, target, eye, sce),
        reference: ([x]) => [reference.symmetricCrossEntropy(x, labels, sce)],
      });
      await gradcheck(gpu(), {
        ...check,
        name: 'robustClustering',
        op: ([x]) => losses.robustClustering(x, target, eye),
        reference: ([x]) => [reference.robustClustering(x, labels)],
      });
    }),
    RUNS,
  );
});

test('logits of any size: no infinity, no NaN', async () => {
  const eye = losses.identity(gpu(), 3);
  const labels = gpu().tensor(Int32Array.of(1, 0), [2]);
  const label = { alpha: 0.1, beta: 1, A: -4 };
  for (const loss of [
    losses.meanAbsoluteError,
    losses.robustClustering,
    (x: Parameters<typeof losses.robustClustering>[0]) => losses.generalisedCrossEntropy(x, labels, eye, 0.7),
    (x: Parameters<typeof losses.robustClustering>[0]) => losses.symmetricCrossEntropy(x, labels, eye, label),
    (x: Parameters<typeof losses.robustClustering>[0]) => losses.mutualInformation(x, x),
    (x: Parameters<typeof losses.robustClustering>[0]) => losses.consistency(x, x),
    losses.negativeEntropy,
  ]) {
    const logits = gpu().tensor([500, -500, 0, 3000, -3000, 1], [2, 3]);
    const { output, gradients } = await forwardBackward(gpu(), [logits], () => loss(logits, labels, eye));
    assert.ok(Number.isFinite(output[0]), `loss ${output[0]}`);
    assert.ok(gradients[0].every(Number.isFinite), `gradient ${gradients[0]}`);
  }
});

test('log softmax', async () => {
  await fc.assert(
    fc.asyncProperty(rows, classes, spreads, async (count, of, spread) => {
      await gradcheck(gpu(), {
        name: 'logSoftmax',
        inputs: [argument(`logits ${count} ${of}`, [count, of], -spread, spread)],
        op: ([x]) => losses.logSoftmax(x),
        reference: ([x]) => logSoftmax(x, of),
        tolerance,
      });
    }),
    RUNS,
  );
});

test('losses of correlations: Barlow Twins and soft decorrelation', async () => {
  await fc.assert(
    fc.asyncProperty(rows, fc.constantFrom(2, 5, 8, 19), async (count, d) => {
      using _ = gpu().scope();
      const eye = losses.identity(gpu(), d);
      const weights = losses.identity(gpu(), d, 1, 0.3);
      const others = losses.identity(gpu(), d, 0, 1);
      const [a, b] = [argument(`a ${count} ${d}`, [count, d]), argument(`b ${count} ${d}`, [count, d])];
      await gradcheck(gpu(), {
        name: 'barlowTwins',
        inputs: [a, b],
        op: ([x, y]) => losses.barlowTwins(x, y, eye, weights),
        reference: ([x, y]) => [reference.barlowTwins(x, y, count, 0.3)],
      });
      const before = argument(`before ${d}`, [d, d], -2, 2);
      const running = { sum: gpu().tensor(before.data, [d, d]), weight: gpu().tensor([1.5], [1]) };
      await gradcheck(gpu(), {
        name: 'softDecorrelation',
        inputs: [a],
        op: ([x]) => losses.softDecorrelation(x, running, 0.9, others),
        reference: ([x]) => [reference.softDecorrelation(x, count, before.data, 1.5, 0.9)],
      });
    }),
    RUNS,
  );
});

test('the running covariance adds each batch to what it was', async () => {
  const z = gpu().tensor([1, 2, 3, -1, 0, 4], [3, 2]);
  const running = { sum: gpu().tensor([1, 2, 3, 4], [2, 2]), weight: gpu().tensor([2], [1]) };
  losses.remember(z, running, 0.5);
  const expected = [0.5 + 10 / 2, 1 - 1 / 2, 1.5 - 1 / 2, 2 + 21 / 2];
  assertClose('sum', await running.sum.readFloats(), expected, { rtol: 1e-6, atol: 1e-6 });
  assertClose('weight', await running.weight.readFloats(), [2], { rtol: 0, atol: 0 });
});

test("UCCH's ranking loss", async () => {
  const options = fc.constantFrom({ margin: 0.2, shift: 1, tau: 1 }, { margin: 0.5, shift: 0.3, tau: 0.2 });
  await fc.assert(
    fc.asyncProperty(rows, fc.constantFrom(3, 8), options, async (count, d, chosen) => {
      using _ = gpu().scope();
      const eye = losses.identity(gpu(), count);
      const places = gpu().tensor(
        Int32Array.from({ length: count }, (_, i) => i),
        [count],
      );
      await gradcheck(gpu(), {
        name: 'ranking',
        inputs: [argument(`queries ${count} ${d}`, [count, d]), argument(`gallery ${count} ${d}`, [count, d])],
        op: ([x, y]) => losses.ranking(x, y, eye, places, chosen),
        reference: ([x, y]) => [reference.ranking(x, y, count, chosen)],
        tolerance,
      });
    }),
    RUNS,
  );
});

test('losses of assignments: mutual information, consistency and balance', async () => {
  await fc.assert(
    fc.asyncProperty(rows, classes, fc.constantFrom(0.1, 3), async (count, of, spread) => {
      const [a, b] = ['a', 'b'].map((name) => argument(`${name} ${count} ${of}`, [count, of], -spread, spread));
      const both = { inputs: [a, b], tolerance };
      await gradcheck(gpu(), {
        ...both,
        name: 'mutualInformation',
        op: ([x, y]) => losses.mutualInformation(x, y),
        reference: ([x, y]) => [reference.mutualInformation(x, y, of)],
      });
      await gradcheck(gpu(), {
        ...both,
        name: 'consistency',
        op: ([x, y]) => losses.consistency(x, y),
        reference: ([x, y]) => [reference.consistency(x, y, of)],
      });
      await gradcheck(gpu(), {
        inputs: [a],
        tolerance,
        name: 'negativeEntropy',
        op: ([x]) => losses.negativeEntropy(x),
        reference: ([x]) => [reference.negativeEntropy(x, of)],
      });
    }),
    RUNS,
  );
});

test("SwAV: balanced codes are Sinkhorn's and constants; each view is held to the other's", async () => {
  const options = { tau: 0.1, epsilon: 0.05, iterations: 3 };
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(4, 7, 33), fc.constantFrom(2, 3, 10), async (count, of) => {
      using _ = gpu().scope();
      const [a, b] = ['a', 'b'].map((name) => argument(`${name} ${count} ${of}`, [count, of], -1, 1));
      const codes = [a, b].map(({ data }) => reference.balancedCodes(data, of, options.epsilon, options.iterations));
      const given = await losses.balancedCodes(gpu().tensor(a.data, a.shape), options.epsilon, 3).readFloats();
      assertValues('balancedCodes', given, codes[0], { rtol: 1e-3, atol: 1e-5 });
      const predicted = (x: ArrayLike<number>, code: Float64Array) => {
        const logP = logSoftmax(
          Array.from(x, (score) => score / options.tau),
          of,
        );
        return -logP.reduce((sum, value, i) => sum + (code[i] * value) / count, 0);
      };
      await gradcheck(gpu(), {
        name: 'swappedPrediction',
        inputs: [a, b],
        op: ([x, y]) => losses.swappedPrediction(x, y, options),
        reference: ([x, y]) => [predicted(x, codes[1]) + predicted(y, codes[0])],
        tolerance: { rtol: 1e-3, atol: 1e-4 },
      });
    }),
    RUNS,
  );
});

test.run();

/** Losses against their float64 references, from flat logits to ones whose softmax is 0 and 1. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { contrastive, rcll, softCrossEntropy, softmaxCrossEntropy } from '../../src/autograd/losses.ts';
import { scale } from '../../src/autograd/pointwise.ts';
import * as contrastiveReference from '../reference/contrastive.ts';
import * as crossEntropy from '../reference/cross_entropy.ts';
import * as rcllReference from '../reference/rcll.ts';
import { forwardBackward } from '../support/backward.ts';
import { assertClose } from '../support/close.ts';
import { gpuSuite, times, VARIANTS, withVariant } from '../support/gpu.ts';
import { type Argument, argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('losses');

interface Case {
  rows: number;
  classes: number;
  alpha: number;
  logits: Argument;
  labels: Int32Array;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    rows: fc.constantFrom(1, 2, 7, 63, 64, 65),
    classes: fc.constantFrom(1, 2, 3, 10, 40, 65, 68, 300), // from 65 up, several invocations share a row on GPUs
    spread: fc.constantFrom(0.01, 1, 8, 60, 1000), // tiny, usual and saturated logits
    alpha: fc.constantFrom(0, 0.25, 0.65, 1),
    oneClass: fc.boolean(),
  })
  .map(({ rows, classes, spread, alpha, oneClass }) => ({
    rows,
    classes,
    alpha,
    logits: argument(`logits ${rows} ${classes}`, [rows, classes], -spread, spread),
    labels: Int32Array.from({ length: rows }, (_, row) => (oneClass ? classes - 1 : (row * 7 + 3) % classes)),
  }));

const variants = fc.constantFrom(...VARIANTS);

test('softmaxCrossEntropy', async () => {
  await fc.assert(
    fc.asyncProperty(cases, variants, async ({ rows, logits, labels }, variant) => {
      using _ = gpu().scope();
      const target = gpu().tensor(labels, [rows]);
      await withVariant(gpu(), variant, () =>
        gradcheck(gpu(), {
          name: 'softmaxCrossEntropy',
          inputs: [logits],
          op: ([x]) => softmaxCrossEntropy(x, target),
          reference: ([x]) => [crossEntropy.softmaxCrossEntropy(x, labels)],
        }),
      );
    }),
    { numRuns: times(30) },
  );
});

test('softCrossEntropy, also for targets that are no distribution', async () => {
  await fc.assert(
    fc.asyncProperty(cases, variants, fc.constantFrom(1, 0.5), async ({ rows, classes, logits }, variant, mass) => {
      using _ = gpu().scope();
      const steep = argument('targets', [rows, classes], -3, 3).data;
      const targets = crossEntropy.logSoftmax(steep, classes).map((value) => mass * Math.exp(value));
      const target = gpu().tensor(Float32Array.from(targets), [rows, classes]);
      await withVariant(gpu(), variant, () =>
        gradcheck(gpu(), {
          name: 'softCrossEntropy',
          inputs: [logits],
          op: ([x]) => softCrossEntropy(x, target),
          reference: ([x]) => [crossEntropy.softCrossEntropy(x, targets, classes)],
        }),
      );
    }),
    { numRuns: times(30) },
  );
});

test('rcll', async () => {
  await fc.assert(
    fc.asyncProperty(cases, variants, async ({ rows, logits, labels, alpha }, variant) => {
      using _ = gpu().scope();
      const target = gpu().tensor(labels, [rows]);
      await withVariant(gpu(), variant, () =>
        gradcheck(gpu(), {
          name: `rcll, alpha ${alpha}`,
          inputs: [logits],
          op: ([x]) => rcll(x, target, { alpha }),
          reference: ([x]) => [rcllReference.rcll(x, labels, { alpha })],
          tolerance: { rtol: 1e-3, atol: 1e-4 },
        }),
      );
    }),
    { numRuns: times(30) },
  );
});

test('rcll: every probability of the label, from below the threshold to almost 1', async () => {
  // Two classes whose logits differ by d: p = 1 / (1 + exp -d).
  for (const alpha of [0, 0.25, 1]) {
    const differences = [-30, -1, -0.01, 0.01, 0.5, 1, 3, 6, 7, 10, 14];
    const { output, gradients } = await (async () => {
      const logits = gpu().tensor(
        differences.flatMap((d) => [d, 0]),
        [differences.length, 2],
      );
      const labels = gpu().zeros([differences.length], 'i32');
      return forwardBackward(gpu(), [logits], () => scale(rcll(logits, labels, { alpha }), differences.length));
    })();
    let loss = 0;
    differences.forEach((d, row) => {
      const q = 1 / (1 + Math.exp(d)); // 1 - p, with all its digits
      const information = Math.log1p(Math.exp(-d)); // -ln p
      const uncertain = d <= 0;
      loss += uncertain ? Math.log(2) ** alpha / 2 : information ** alpha * q;
      const w = (1 - q) * information ** alpha + alpha * q * information ** (alpha - 1);
      const expected = uncertain ? [0, 0] : [-w * q, w * q];
      const row2 = gradients[0].subarray(2 * row, 2 * row + 2);
      assertClose(`gradient, alpha ${alpha}, difference ${d}`, row2, expected, { rtol: 2e-3, atol: 1e-12 });
    });
    assertClose(`loss, alpha ${alpha}`, output, [loss], { rtol: 1e-3, atol: 0 });
  }
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

test('rcll: a threshold of its own', async () => {
  const logits = argument('logits', [30, 5], -2, 2);
  const labels = Int32Array.from({ length: 30 }, (_, row) => row % 5);
  const target = gpu().tensor(labels, [30]);
  for (const threshold of [0.01, 0.5]) {
    await gradcheck(gpu(), {
      name: 'rcll',
      inputs: [logits],
      op: ([x]) => rcll(x, target, { threshold }),
      reference: ([x]) => [rcllReference.rcll(x, labels, { threshold })],
    });
  }
});

test('weights of rows: cross entropy and rcll, on lanes and alone; a weight of 0 sends no gradient', async () => {
  const weighted = fc.asyncProperty(cases, variants, async ({ rows, classes, logits, labels, alpha }, variant) => {
    using _ = gpu().scope();
    const target = gpu().tensor(labels, [rows]);
    const weights = Float32Array.from({ length: rows }, (_, row) => [0, 1.5, 0.25][row % 3]);
    const w = gpu().tensor(weights, [rows]);
    await withVariant(gpu(), variant, async () => {
      const tolerance = { rtol: 1e-3, atol: 1e-4 };
      await gradcheck(gpu(), {
        name: 'softmaxCrossEntropy, weighted',
        inputs: [logits],
        op: ([x]) => softmaxCrossEntropy(x, target, w),
        reference: ([x]) => [crossEntropy.softmaxCrossEntropy(x, labels, weights)],
        tolerance,
      });
      await gradcheck(gpu(), {
        name: `rcll, weighted, alpha ${alpha}`,
        inputs: [logits],
        op: ([x]) => rcll(x, target, { alpha, weights: w }),
        reference: ([x]) => [rcllReference.rcll(x, labels, { alpha, weights })],
        tolerance,
      });
      const x = gpu().tensor(logits.data, [rows, classes]);
      const { gradients } = await forwardBackward(gpu(), [x], () => softmaxCrossEntropy(x, target, w));
      assert.ok(gradients[0].every((value, i) => Math.floor(i / classes) % 3 !== 0 || value === 0));
    });
  });
  await fc.assert(weighted, { numRuns: times(20) });
});

test('huge logits: no infinity, no NaN', async () => {
  const values = [1e6, -1e6, 0, 3e38, -3e38, 1];
  const logits = gpu().tensor(values, [2, 3]);
  const labels = gpu().tensor(Int32Array.of(1, 0), [2]);
  for (const loss of [softmaxCrossEntropy, rcll]) {
    const { output, gradients } = await forwardBackward(gpu(), [logits], () => loss(logits, labels));
    assert.ok(Number.isFinite(output[0]), `loss ${output[0]}`);
    assert.ok(gradients[0].every(Number.isFinite), `gradient ${gradients[0]}`);
  }
});

test('contrastive', async () => {
  const pairs = fc.constantFrom(1, 2, 5, 8, 32, 33);
  const channels = fc.constantFrom(2, 3, 8, 17, 64);
  await fc.assert(
    fc.asyncProperty(pairs, channels, fc.constantFrom(0.05, 0.15, 1), async (n, d, tau) => {
      await gradcheck(gpu(), {
        name: `contrastive, tau ${tau}`,
        inputs: [argument('features', [2 * n, d])],
        op: ([x]) => contrastive(x, { tau }),
        reference: ([x]) => [contrastiveReference.contrastive(x, d, tau)],
        tolerance: { rtol: 1e-4, atol: 1e-4 },
      });
    }),
    { numRuns: times(15) },
  );
});

test('contrastive: pairs of one label are not negatives of each other', async () => {
  const labelled = fc.array(fc.integer({ min: -1, max: 2 }), { minLength: 1, maxLength: 33 });
  await fc.assert(
    fc.asyncProperty(labelled, fc.constantFrom(3, 8), fc.constantFrom(0.1, 1), async (labels, d, tau) => {
      using _ = gpu().scope();
      const target = gpu().tensor(Int32Array.from(labels), [labels.length]);
      await gradcheck(gpu(), {
        name: `contrastive, masked, tau ${tau}`,
        inputs: [argument('features', [2 * labels.length, d])],
        op: ([x]) => contrastive(x, { tau, labels: target }),
        reference: ([x]) => [contrastiveReference.contrastive(x, d, tau, labels)],
        tolerance: { rtol: 1e-4, atol: 1e-4 },
      });
    }),
    { numRuns: times(15) },
  );
});

test('contrastive: features that lie apart, at a temperature where their own cosine would drown all others', async () => {
  await gradcheck(gpu(), {
    name: 'contrastive, tau 0.005',
    inputs: [
      { ...argument('features', [4, 4]), data: Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1) },
    ],
    op: ([x]) => contrastive(x, { tau: 0.005 }),
    reference: ([x]) => [contrastiveReference.contrastive(x, 4, 0.005)],
    tolerance: { rtol: 1e-4, atol: 1e-4 },
  });
});

test('the gradient from above scales the gradient', async () => {
  const labels = Int32Array.of(2, 0);
  const target = gpu().tensor(labels, [2]);
  await gradcheck(gpu(), {
    name: 'softmaxCrossEntropy, scaled',
    inputs: [argument('logits', [2, 3])],
    op: ([x]) => scale(softmaxCrossEntropy(x, target), -2.5),
    reference: ([x]) => [-2.5 * crossEntropy.softmaxCrossEntropy(x, labels)],
  });
});

test('shapes that do not fit are named', () => {
  const logits = gpu().empty([4, 3]);
  const wrong = /softmaxCrossEntropy: logits or labels \(i32\) do not fit \(logits \[4,3\], labels \[3\]\)/;
  assert.throws(() => softmaxCrossEntropy(logits, gpu().empty([3], 'i32')), wrong);
  assert.throws(
    () => rcll(logits, gpu().empty([4])),
    /rcll: logits or labels \(f32\) do not fit \(logits \[4,3\], labels \[4\]\)/,
  );
  assert.throws(() => softCrossEntropy(logits, gpu().empty([4, 2])), /softCrossEntropy: .*\[4,3\], targets \[4,2\]/);
  assert.throws(() => contrastive(gpu().empty([3, 8]), { tau: 1 }), /contrastive: .*features \[3,8\]/);
});

test.run();

/** Unit rows against the float64 reference. */
import fc from 'fast-check';
import { l2Normalize } from '../../src/autograd/l2_normalize.ts';
import * as reference from '../reference/l2_normalize.ts';
import { forwardBackward } from '../support/backward.ts';
import { assertClose } from '../support/close.ts';
import { gpuSuite } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('l2Normalize');

test('values and gradients', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 2, max: 70 }), async (rows, channels) => {
      await gradcheck(gpu(), {
        name: 'l2Normalize',
        inputs: [argument('x', [rows, channels])],
        op: ([x]) => l2Normalize(x),
        reference: ([x]) => reference.l2Normalize(x, channels),
      });
    }),
    { numRuns: 15 },
  );
});

test('a row of zeros stays zero', async () => {
  const x = gpu().tensor([0, 0, 3, 4], [2, 2]);
  const { output } = await forwardBackward(gpu(), [x], () => l2Normalize(x));
  assertClose('y', output, [0, 0, 0.6, 0.8], { rtol: 1e-6, atol: 0 });
});

test.run();

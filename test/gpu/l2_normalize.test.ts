/** Unit rows against the float64 reference. */
import fc from 'fast-check';
import { l2Normalize } from '../../src/autograd/l2_normalize.ts';
import * as reference from '../reference/l2_normalize.ts';
import { forwardBackward } from '../support/backward.ts';
import { assertClose } from '../support/close.ts';
import { gpuSuite, times } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('l2Normalize');

test('values and gradients', async () => {
  const rows = fc.constantFrom(1, 2, 7, 63, 64, 65);
  const channels = fc.constantFrom(1, 2, 3, 8, 17, 64);
  // Lengths from 1e-3 to 1e3, not far below: the gradient grows as rows shrink, and the f32 rounding error with it.
  await fc.assert(
    fc.asyncProperty(rows, channels, fc.constantFrom(1e-3, 1, 1e3), async (r, c, length) => {
      const { data, shape } = argument('x', [r, c], -length, length);
      await gradcheck(gpu(), {
        name: `l2Normalize of length ${length}`,
        inputs: [{ data: data.map((value) => value + 0.2 * length * Math.sign(value)), shape }],
        op: ([x]) => l2Normalize(x),
        reference: ([x]) => reference.l2Normalize(x, c),
        step: 1e-6 * length,
        floor: 0.01 / length,
      });
    }),
    { numRuns: times(25) },
  );
});

test('more axes: rows are by the last', async () => {
  await gradcheck(gpu(), {
    name: 'l2Normalize of three axes',
    inputs: [argument('x', [2, 3, 5])],
    op: ([x]) => l2Normalize(x),
    reference: ([x]) => reference.l2Normalize(x, 5),
  });
});

test('a row of zeros stays zero and its gradient is finite', async () => {
  const x = gpu().tensor([0, 0, 3, 4], [2, 2]);
  const { output, gradients } = await forwardBackward(gpu(), [x], () => l2Normalize(x), Float32Array.of(1, -2, 1, 0));
  assertClose('y', output, [0, 0, 0.6, 0.8], { rtol: 1e-6, atol: 0 });
  assertClose('gradient', gradients[0], [1e12, -2e12, 0.128, -0.096], { rtol: 1e-5, atol: 0 });
});

test('a row shorter than 1e-12 is divided by 1e-12, a constant', async () => {
  const x = gpu().tensor([3e-14, 4e-14], [1, 2]);
  const { output, gradients } = await forwardBackward(gpu(), [x], () => l2Normalize(x), Float32Array.of(1, -2));
  assertClose('y', output, [0.03, 0.04], { rtol: 1e-5, atol: 0 });
  assertClose('gradient', gradients[0], [1e12, -2e12], { rtol: 1e-5, atol: 0 });
});

test.run();

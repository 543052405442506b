/** Max pooling over windows against the float64 reference, values and gradients. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { maxPool2d } from '../../src/autograd/max_pool2d.ts';
import * as reference from '../reference/pooling.ts';
import { forwardBackward } from '../support/backward.ts';
import { assertClose, assertValues, EXACTLY } from '../support/close.ts';
import { gpuSuite, times } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('maxPool2d');
const size = (max: number) => fc.integer({ min: 1, max });

test('values and gradients of any kernel, stride and padding', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(size(2), size(11), size(9), size(9)),
      size(7),
      size(5),
      fc.nat(3),
      async (shape, kernel, stride, most) => {
        const padding = Math.min(most, Math.floor(kernel / 2));
        fc.pre(Math.min(shape[1], shape[2]) + 2 * padding >= kernel);
        await gradcheck(gpu(), {
          name: 'maxPool2d',
          inputs: [argument('x', shape, -2, -1)], // below zero: padding with zeros would win
          op: ([x]) => maxPool2d(x, { kernel, stride, padding }),
          reference: ([x]) => reference.maxPool2d(x, shape, { kernel, stride, padding }),
        });
      },
    ),
    { numRuns: times(40) },
  );
});

test("ResNet's pooling: 3 x 3, stride 2, padding 1", async () => {
  const shape = [2, 16, 11, 8];
  const options = { kernel: 3, stride: 2, padding: 1 };
  await gradcheck(gpu(), {
    name: 'maxPool2d of ResNet',
    inputs: [argument('x', shape)],
    op: ([x]) => maxPool2d(x, options),
    reference: ([x]) => reference.maxPool2d(x, shape, options),
  });
});

test('many ties: the first in reading order wins the gradient', async () => {
  await fc.assert(
    fc.asyncProperty(size(3), size(3), fc.nat(1), fc.constantFrom(0, 1, 2), async (kernel, stride, most, levels) => {
      const options = { kernel, stride, padding: Math.min(most, Math.floor(kernel / 2)) };
      const { data, shape } = argument('x', [2, 7, 9, 3], -levels, levels);
      const whole = data.map(Math.round);
      const x = gpu().tensor(whole, shape);
      const { gradients } = await forwardBackward(gpu(), [x], () => maxPool2d(x, options));
      x.dispose();
      const pool = (values: Float64Array) => reference.maxPool2d(values, shape, options);
      assertValues('maxPool2d, ties', gradients[0], reference.winnings(whole, pool), EXACTLY);
    }),
    { numRuns: times(15) },
  );
});

test('of equal values the first in reading order wins the gradient', async () => {
  const x = gpu().tensor([3, 3, 3, 1], [1, 2, 2, 1]);
  const { gradients } = await forwardBackward(gpu(), [x], () => maxPool2d(x, { kernel: 2, stride: 2 }));
  assertClose('gradient', gradients[0], [1, 0, 0, 0], { rtol: 0, atol: 0 });
});

test('the lowest numbers of f32 win where there is nothing else', async () => {
  const lowest = -3.4028234663852886e38;
  const x = gpu().tensor(new Float32Array(4).fill(lowest), [1, 2, 2, 1]);
  const { output, gradients } = await forwardBackward(gpu(), [x], () => maxPool2d(x, { kernel: 2, stride: 2 }));
  assertClose('y', output, [lowest], { rtol: 0, atol: 0 });
  assertClose('gradient', gradients[0], [1, 0, 0, 0], { rtol: 0, atol: 0 });
});

test('a pixel that wins several windows collects from all', async () => {
  const x = gpu().tensor([0, 0, 0, 0, 9, 0, 0, 0, 0], [1, 3, 3, 1]);
  const { gradients } = await forwardBackward(gpu(), [x], () => maxPool2d(x, { kernel: 2, stride: 1 }));
  assertClose('gradient', gradients[0], [0, 0, 0, 0, 4, 0, 0, 0, 0], { rtol: 0, atol: 0 });
});

test('shapes that do not fit are named', () => {
  assert.throws(() => maxPool2d(gpu().empty([2, 3]), { kernel: 2, stride: 2 }), /maxPool2d: .*x \[2,3\]/);
  const image = gpu().empty([1, 2, 2, 3]);
  assert.throws(
    () => maxPool2d(image, { kernel: 3, stride: 1 }),
    /kernel 3 is larger than the image \(x \[1,2,2,3\]\)/,
  );
  assert.throws(() => maxPool2d(image, { kernel: 2, stride: 1, padding: 2 }), /kernel 2 or padding 2 does not fit/);
});

test.run();

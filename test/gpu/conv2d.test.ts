/** Convolution of any kernel, stride and padding against the float64 reference, values and gradients. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { conv2d } from '../../src/autograd/conv2d.ts';
import * as reference from '../reference/conv2d.ts';
import { gpuSuite } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('conv2d');
const size = (max: number) => fc.integer({ min: 1, max });
const channels = fc.constantFrom(1, 3, 4, 8, 12); // those that divide by 4 take the vec4 kernels

const cases = fc.record({
  batch: size(2),
  height: size(9),
  width: size(9),
  inChannels: channels,
  outChannels: channels,
  kernelY: size(4),
  kernelX: size(4),
  stride: fc.tuple(size(3), size(3)),
  padding: fc.tuple(fc.nat(2), fc.nat(2)),
});

test('values and gradients', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (c) => {
      const { stride, padding } = c;
      fc.pre(c.height + 2 * padding[0] >= c.kernelY && c.width + 2 * padding[1] >= c.kernelX);
      const xShape = [c.batch, c.height, c.width, c.inChannels];
      const weightShape = [c.kernelY, c.kernelX, c.inChannels, c.outChannels];
      await gradcheck(gpu(), {
        name: 'conv2d',
        inputs: [argument('x', xShape), argument('weight', weightShape)],
        op: ([x, weight]) => conv2d(x, weight, { stride, padding }),
        reference: ([x, weight]) => reference.conv2d(x, xShape, weight, weightShape, { stride, padding }),
        gradientAtol: 1e-4,
      });
    }),
    { numRuns: 40 },
  );
});

test('shapes that do not fit are named', () => {
  const x = gpu().empty([1, 5, 5, 3]);
  assert.throws(() => conv2d(x, gpu().empty([3, 3, 4, 8])), /weight has 4 input channels, x has 3/);
  assert.throws(() => conv2d(x, gpu().empty([7, 7, 3, 8])), /larger than the padded image/);
});

test.run();

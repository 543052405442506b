/** Max pooling over windows, pooling over everything, sums and means, against the float64 references. */
import fc from 'fast-check';
import { globalMaxPool, globalMeanPool, mean, sum } from '../../src/autograd/global_pool.ts';
import { maxPool2d } from '../../src/autograd/max_pool2d.ts';
import * as pointwise from '../reference/pointwise.ts';
import * as reference from '../reference/pooling.ts';
import { forwardBackward } from '../support/backward.ts';
import { assertClose } from '../support/close.ts';
import { gpuSuite } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('pooling');
const size = (max: number) => fc.integer({ min: 1, max });
const shapes = fc.tuple(size(2), size(9), size(9), size(9));

test('maxPool2d', async () => {
  await fc.assert(
    fc.asyncProperty(shapes, size(4), size(3), fc.nat(2), async (shape, kernel, stride, most) => {
      const padding = Math.min(most, Math.floor(kernel / 2));
      fc.pre(Math.min(shape[1], shape[2]) + 2 * padding >= kernel);
      await gradcheck(gpu(), {
        name: 'maxPool2d',
        inputs: [argument('x', shape)],
        op: ([x]) => maxPool2d(x, { kernel, stride, padding }),
        reference: ([x]) => reference.maxPool2d(x, shape, { kernel, stride, padding }),
      });
    }),
    { numRuns: 25 },
  );
});

test('of equal values the first wins the gradient', async () => {
  const x = gpu().tensor([3, 3, 3, 1], [1, 2, 2, 1]);
  const { gradients } = await forwardBackward(gpu(), [x], () => maxPool2d(x, { kernel: 2, stride: 2 }));
  assertClose('maxPool2d', gradients[0], [1, 0, 0, 0], { rtol: 0, atol: 0 });
  const pooled = await forwardBackward(gpu(), [x], () => globalMaxPool(x));
  assertClose('globalMaxPool', pooled.gradients[0], [1, 0, 0, 0], { rtol: 0, atol: 0 });
});

test('over everything', async () => {
  await fc.assert(
    fc.asyncProperty(shapes, async (shape) => {
      const [batch, height, width, channels] = shape;
      const inputs = [argument('x', shape)];
      await gradcheck(gpu(), {
        name: 'globalMaxPool',
        inputs,
        op: ([x]) => globalMaxPool(x),
        reference: ([x]) => reference.globalMaxPool(x, batch, height * width, channels),
      });
      await gradcheck(gpu(), {
        name: 'globalMeanPool',
        inputs,
        op: ([x]) => globalMeanPool(x),
        reference: ([x]) => reference.globalMeanPool(x, batch, height * width, channels),
      });
      await gradcheck(gpu(), {
        name: 'sum',
        inputs,
        op: ([x]) => sum(x),
        reference: ([x]) => [pointwise.sum(x)],
        tolerance: { rtol: 1e-4, atol: 1e-4 },
      });
      await gradcheck(gpu(), {
        name: 'mean',
        inputs,
        op: ([x]) => mean(x),
        reference: ([x]) => [pointwise.sum(x) / x.length],
      });
    }),
    { numRuns: 15 },
  );
});

test.run();

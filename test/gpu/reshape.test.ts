/** Reshape: no copy, and gradients get the original shape. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { mul } from '../../src/autograd/pointwise.ts';
import { reshape } from '../../src/autograd/reshape.ts';
import { gpuSuite, times } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('reshape');
const length = fc.integer({ min: 1, max: 7 });

test('values and gradients', async () => {
  await fc.assert(
    fc.asyncProperty(length, length, length, async (a, b, c) => {
      await gradcheck(gpu(), {
        name: 'reshape',
        inputs: [argument('x', [a, b, c])],
        op: ([x]) => reshape(x, [c * a, b]),
        reference: ([x]) => x,
      });
    }),
    { numRuns: times(10) },
  );
});

test('gradients of two views add up', async () => {
  await gradcheck(gpu(), {
    name: 'reshape twice',
    inputs: [argument('x', [3, 4])],
    op: ([x]) => mul(reshape(x, [2, 6]), reshape(x, [2, 6])),
    reference: ([x]) => x.map((value) => value * value),
  });
});

test('no memory is taken, and the buffer lives as long as its last view', async () => {
  const x = gpu().tensor([1, 2, 3, 4], [4]);
  const before = gpu().memory();
  const view = reshape(x, [2, 2]);
  assert.equal(view.shape, [2, 2]);
  assert.equal(gpu().memory(), before);
  x.dispose();
  gpu().tensor([9, 9, 9, 9], [4]); // would reuse a freed buffer
  assert.equal([...(await view.readFloats())], [1, 2, 3, 4]);
});

test('a shape of another size is named', () => {
  assert.throws(() => reshape(gpu().empty([2, 3]), [4]), /\[2,3\] has 6 elements, \[4\] has 4/);
});

test.run();

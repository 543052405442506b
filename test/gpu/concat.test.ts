/** Concatenation along any axis; gradients are cut at the same places. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { concat } from '../../src/autograd/concat.ts';
import { sizeOf } from '../../src/tensor/tensor.ts';
import { forwardBackward } from '../support/backward.ts';
import { gpuSuite, times } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('concat');

/** Blocks [outer, width_i] side by side. */
function joined(blocks: readonly Float64Array[], outer: number): number[] {
  const result: number[] = [];
  for (let row = 0; row < outer; row++) {
    for (const block of blocks) {
      const width = block.length / outer;
      result.push(...block.subarray(row * width, (row + 1) * width));
    }
  }
  return result;
}

test('values and gradients along every axis', async () => {
  const length = fc.constantFrom(1, 2, 3, 4, 8, 13);
  const part = fc.constantFrom(1, 2, 3, 4, 8, 13, 63, 64, 65);
  const lengths = fc.array(part, { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(length, length, lengths, fc.constantFrom(0, 1, 2, -1, -3), async (rows, columns, widths, axis) => {
      const at = (axis + 3) % 3;
      const shape = [rows, columns, columns];
      await gradcheck(gpu(), {
        name: `concat along ${axis}`,
        inputs: widths.map((width, number) =>
          argument(
            `part ${number}`,
            shape.map((side, i) => (i === at ? width : side)),
          ),
        ),
        op: (tensors) => concat(tensors, axis),
        reference: (values) => joined(values, sizeOf(shape.slice(0, at))),
      });
    }),
    { numRuns: times(25) },
  );
});

test('one tensor twice: its gradients add up', async () => {
  await gradcheck(gpu(), {
    name: 'concat of one tensor twice',
    inputs: [argument('x', [3, 4])],
    op: ([x]) => concat([x, x], 1),
    reference: ([x]) => joined([x, x], 3),
  });
});

test('the shape is the sum along the axis', async () => {
  const [a, b] = [gpu().zeros([2, 3]), gpu().zeros([2, 5])];
  assert.equal((await forwardBackward(gpu(), [a, b], () => concat([a, b], -1))).shape, [2, 8]);
});

test('shapes that do not fit are named', () => {
  const a = gpu().empty([2, 3]);
  assert.throws(() => concat([a, gpu().empty([3, 3])], 1), /concat: \[2,3\], \[3,3\] along axis 1/);
  assert.throws(() => concat([a, gpu().empty([2, 3, 1])], 1), /concat: \[2,3\], \[2,3,1\] along axis 1/);
  assert.throws(() => concat([a, a], 2), /along axis 2/);
});

test.run();

/** Ops that only move numbers about: concat, gather, reshape; their gradients find the way back. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { concat } from '../../src/autograd/concat.ts';
import { gather } from '../../src/autograd/gather.ts';
import { mul } from '../../src/autograd/pointwise.ts';
import { reshape } from '../../src/autograd/reshape.ts';
import { gpuSuite } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('rows');
const size = (max: number) => fc.integer({ min: 1, max });

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

test('concat', async () => {
  const lengths = fc.array(size(5), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(size(4), size(5), lengths, fc.constantFrom(0, 1, 2, -1), async (rows, columns, parts, axis) => {
      const at = (axis + 3) % 3;
      const shape = [rows, columns, columns + 1];
      const outer = shape.slice(0, at).reduce((product, length) => product * length, 1);
      await gradcheck(gpu(), {
        name: 'concat',
        inputs: parts.map((length, part) =>
          argument(
            `part ${part}`,
            shape.map((l, i) => (i === at ? length : l)),
          ),
        ),
        op: (tensors) => concat(tensors, axis),
        reference: (values) => joined(values, outer),
      });
    }),
    { numRuns: 15 },
  );
  await gradcheck(gpu(), {
    name: 'concat of one tensor twice',
    inputs: [argument('x', [3, 4])],
    op: ([x]) => concat([x, x], 1),
    reference: ([x]) => joined([x, x], 3),
  });
  assert.throws(() => concat([gpu().empty([2, 3]), gpu().empty([3, 3])], 1), /\[2,3\], \[3,3\] along axis 1/);
});

test('gather', async () => {
  const indices = fc.array(fc.nat(1000), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(size(9), size(7), indices, async (rows, channels, picks) => {
      const index = Int32Array.from(picks, (pick) => pick % rows);
      const tensor = gpu().tensor(index, [index.length]);
      await gradcheck(gpu(), {
        name: 'gather',
        inputs: [argument('x', [rows, channels])],
        op: ([x]) => gather(x, tensor),
        reference: ([x]) => [...index].flatMap((row) => [...x.subarray(row * channels, (row + 1) * channels)]),
      });
      tensor.dispose();
    }),
    { numRuns: 15 },
  );
});

test('reshape shares memory, and gradients of two views add up', async () => {
  await gradcheck(gpu(), {
    name: 'reshape',
    inputs: [argument('x', [3, 4])],
    op: ([x]) => mul(reshape(x, [2, 6]), reshape(x, [2, 6])),
    reference: ([x]) => x.map((value) => value * value),
  });
});

test.run();

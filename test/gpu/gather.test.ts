/** Rows by index and its transpose, scatterAdd. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { gather, scatterAdd } from '../../src/autograd/gather.ts';
import { record } from '../../src/autograd/tape.ts';
import { assertValues } from '../support/close.ts';
import { gpuSuite, times } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('gather');
const channels = fc.constantFrom(1, 3, 4, 7, 8, 64);
const indices = fc.array(fc.nat(1000), { minLength: 1, maxLength: 70 }); // many more than rows, so there are duplicates

test('gather: values and gradients', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(1, 2, 9, 64, 65), channels, indices, async (rows, width, picks) => {
      using _ = gpu().scope();
      const index = Int32Array.from(picks, (pick) => pick % rows);
      const tensor = gpu().tensor(index, [index.length]);
      await gradcheck(gpu(), {
        name: 'gather',
        inputs: [argument('x', [rows, width])],
        op: ([x]) => gather(x, tensor),
        reference: ([x]) => [...index].flatMap((row) => [...x.subarray(row * width, (row + 1) * width)]),
      });
    }),
    { numRuns: times(25) },
  );
});

test('scatterAdd: rows that share an index are summed, rows without one are zero', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(1, 5, 64), channels, indices, async (sources, width, picks) => {
      using _ = gpu().scope();
      const index = Int32Array.from(picks, (pick) => pick % sources);
      const { data, shape } = argument('x', [index.length, width]);
      const sums = scatterAdd(gpu().tensor(data, shape), gpu().tensor(index, [index.length]), sources);
      const expected = new Float64Array(sources * width);
      data.forEach((value, i) => {
        expected[index[Math.floor(i / width)] * width + (i % width)] += value;
      });
      assertValues('scatterAdd', await sums.readFloats(), expected, { rtol: 1e-4, atol: 1e-5 });
    }),
    { numRuns: times(15) },
  );
});

test('what cannot be an index is named', () => {
  const x = gpu().empty([5, 3]);
  assert.throws(
    () => gather(x, gpu().empty([2])),
    /gather: x or index \(f32\) does not fit \(x \[5,3\], index \[2\]\)/,
  );
  assert.throws(() => gather(gpu().empty([5]), gpu().empty([2], 'i32')), /gather: .*x \[5\]/);
});

test('an index has no gradient, and says so', () => {
  const x = gpu().tensor([1, 2], [2, 1]);
  const index = gpu().tensor(Int32Array.of(0), [1]);
  x.requiresGrad = true;
  index.requiresGrad = true;
  const tape = record(gpu(), () => gather(x, index));
  assert.throws(() => tape.backward(), /gather: no gradient with respect to index: an index is a whole number/);
});

test.run();

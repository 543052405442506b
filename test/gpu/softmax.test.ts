/** Softmax and argmax by row. */
import fc from 'fast-check';
import { argmax, softmax } from '../../src/autograd/softmax.ts';
import { logSoftmax } from '../reference/cross_entropy.ts';
import { assertValues, EXACTLY } from '../support/close.ts';
import { gpuSuite, times } from '../support/gpu.ts';
import { argument } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('softmax');
const rows = fc.constantFrom(1, 2, 63, 64, 65);
const classes = fc.constantFrom(1, 2, 5, 10, 40, 65);

test('softmax at any temperature, for flat and steep rows', async () => {
  const spread = fc.constantFrom(0, 1, 30, 1e4);
  await fc.assert(
    fc.asyncProperty(rows, classes, spread, fc.constantFrom(0.1, 1, 5), async (r, c, width, temperature) => {
      using _ = gpu().scope();
      const { data, shape } = argument(`softmax ${r} ${c}`, [r, c], -width, width);
      const out = await softmax(gpu().tensor(data, shape), temperature).readFloats();
      const scaled = Float64Array.from(data, (value) => value / temperature);
      assertValues('softmax', out, logSoftmax(scaled, c).map(Math.exp), { rtol: 1e-4, atol: 1e-6 });
    }),
    { numRuns: times(25) },
  );
});

test('argmax: the first of equals', async () => {
  await fc.assert(
    fc.asyncProperty(rows, classes, fc.constantFrom(1, 3, 1000), async (r, c, levels) => {
      using _ = gpu().scope();
      const { data, shape } = argument(`argmax ${r} ${c}`, [r, c], -levels, levels);
      const whole = data.map(Math.round);
      const winners = await argmax(gpu().tensor(whole, shape)).read();
      const expected = Array.from({ length: r }, (_, row) => {
        const values = whole.subarray(row * c, (row + 1) * c);
        return values.indexOf(Math.max(...values));
      });
      assertValues('argmax', winners, expected, EXACTLY);
    }),
    { numRuns: times(20) },
  );
});

test.run();

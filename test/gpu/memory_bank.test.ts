/** The memory bank's update against the float64 reference. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { MemoryBank } from '../../src/romo/method/memory_bank.ts';
import { Random } from '../../src/tensor/random.ts';
import { l2Normalize } from '../reference/l2_normalize.ts';
import { memoryUpdate } from '../reference/memory_update.ts';
import { assertValues } from '../support/close.ts';
import { gpuSuite, times } from '../support/gpu.ts';
import { argument } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('memoryBank');

const unitRows = (name: string, rows: number, channels: number): Float32Array =>
  Float32Array.from(l2Normalize(argument(name, [rows, channels]).data, channels));

test('named rows move and stay of length 1, the others stay bit for bit', async () => {
  const cases = fc.record({
    samples: fc.constantFrom(1, 7, 64, 100),
    most: fc.constantFrom(1, 5, 64, 65),
    channels: fc.constantFrom(1, 3, 8, 65),
    momentum: fc.constantFrom(0, 0.5, 0.9, 1),
    seed: fc.nat(1000),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ samples, most, channels, momentum, seed }) => {
      using _ = gpu().scope();
      const batch = Math.min(samples, most);
      const start = unitRows('bank', samples, channels);
      const features = unitRows('features', batch, channels);
      const indices = Int32Array.from(new Random(seed).permutation(samples).subarray(0, batch));
      const bank = new MemoryBank(gpu(), start, channels);
      bank.update(gpu().tensor(features, [batch, channels]), gpu().tensor(indices, [batch]), momentum);
      const rows = await bank.rows.readFloats();
      bank.dispose();
      const expected = memoryUpdate(start, features, indices, channels, momentum);
      assertValues('memoryBank', rows, expected, { rtol: 1e-5, atol: 1e-5 });
      const named = new Set(indices);
      rows.forEach((value, i) => {
        if (!named.has(Math.floor(i / channels))) assert.is(value, start[i]);
      });
    }),
    { numRuns: times(25) },
  );
});

test('a row that is cancelled out gives no NaN', async () => {
  using _ = gpu().scope();
  const bank = new MemoryBank(gpu(), Float32Array.of(1, 0), 2);
  bank.update(gpu().tensor([-1, 0], [1, 2]), gpu().zeros([1], 'i32'), 0.5);
  assert.equal([...(await bank.rows.readFloats())], [0, 0]);
  bank.dispose();
});

test('shapes that do not fit are named', () => {
  const bank = new MemoryBank(gpu(), new Float32Array(12), 3);
  const wrong = /memory bank: features \[2,4\], indices \[2\], bank \[4,3\]/;
  assert.throws(() => bank.update(gpu().empty([2, 4]), gpu().empty([2], 'i32'), 0.5), wrong);
  assert.throws(() => bank.update(gpu().empty([2, 3]), gpu().empty([3], 'i32'), 0.5), /indices \[3\]/);
  bank.dispose();
});

test.run();

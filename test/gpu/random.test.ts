/** Random numbers drawn on the GPU: known answers, the CPU's bits, and the moments of the normal distribution. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type Key, randomNormal, randomUniform } from '../../src/autograd/random.ts';
import { Random, streamKey, threefry2x32 } from '../../src/tensor/random.ts';
import { assertValues, EXACTLY } from '../support/close.ts';
import { gpuSuite, times } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('random');

test("Random123's known answers: threefry2x32 with 20 rounds, counter 0", async () => {
  // The answer with key and counter 0 is 6b200159 99ba4efe (Random123's kat_vectors); uniform keeps the upper 24 bits.
  using _ = gpu().scope();
  const numbers = await randomUniform(gpu(), [2], [0, 0]).readFloats();
  assert.equal(
    [...numbers].map((u) => (u * 2 ** 24).toString(16)),
    ['6b2001', '99ba4e'],
  );
});

test('uniform: the numbers of Random, bit for bit', async () => {
  const size = fc.constantFrom(1, 2, 63, 64, 65, 301);
  const seed = fc.maxSafeNat();
  await fc.assert(
    fc.asyncProperty(seed, fc.string(), fc.nat(0xffffffff), size, async (s, name, number, count) => {
      using _ = gpu().scope();
      const drawn = await randomUniform(gpu(), [count], streamKey(s, name, number)).readFloats();
      const random = new Random(s, name, number);
      const expected = Float32Array.from({ length: count }, () => random.uniform());
      assertValues('randomUniform', drawn, expected, EXACTLY);
    }),
    { numRuns: times(25) },
  );
});

test('uniform in a range', async () => {
  using _ = gpu().scope();
  const key = streamKey(1, 'range');
  const [unit, ranged] = [randomUniform(gpu(), [5000], key), randomUniform(gpu(), [5000], key, -2, 6)];
  const [units, values] = [await unit.readFloats(), await ranged.readFloats()];
  assert.ok(units.every((u) => u >= 0 && u < 1));
  assert.ok(values.every((value, i) => Math.abs(value - (8 * units[i] - 2)) < 1e-6));
});

test('normal: Box and Muller of the same bits', async () => {
  const size = fc.constantFrom(1, 2, 63, 64, 65, 301);
  await fc.assert(
    fc.asyncProperty(fc.nat(0xffffffff), fc.nat(0xffffffff), size, async (key0, key1, count) => {
      using _ = gpu().scope();
      const drawn = await randomNormal(gpu(), [count], [key0, key1], 2, 3).readFloats();
      const expected = Float64Array.from({ length: count }, (_value, i) => {
        const [u, v] = threefry2x32(key0, key1, i, 1).map((bits) => (bits >>> 8) / 2 ** 24);
        return 2 + 3 * Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
      });
      assertValues('randomNormal', drawn, expected, { rtol: 1e-4, atol: 1e-4 });
    }),
    { numRuns: times(25) },
  );
});

interface Moments {
  mean: number;
  variance: number;
  skewness: number;
  kurtosis: number;
}

function momentsOf(values: Float32Array): Moments {
  const power = (exponent: number, mean: number, deviation: number) =>
    values.reduce((sum, value) => sum + ((value - mean) / deviation) ** exponent, 0) / values.length;
  const mean = power(1, 0, 1);
  const variance = power(2, mean, 1);
  const deviation = Math.sqrt(variance);
  return { mean, variance, skewness: power(3, mean, deviation), kurtosis: power(4, mean, deviation) };
}

test('normal: moments and tails', async () => {
  using _ = gpu().scope();
  const count = 200000;
  const values = await randomNormal(gpu(), [count], streamKey(5, 'normal')).readFloats();
  const { mean, variance, skewness, kurtosis } = momentsOf(values);
  const four = 4 / Math.sqrt(count); // standard errors
  assert.ok(Math.abs(mean) < four, `mean ${mean}`);
  assert.ok(Math.abs(variance - 1) < four * Math.sqrt(2), `variance ${variance}`);
  assert.ok(Math.abs(skewness) < four * Math.sqrt(6), `skewness ${skewness}`);
  assert.ok(Math.abs(kurtosis - 3) < four * Math.sqrt(24), `kurtosis ${kurtosis}`);
  const beyond = values.filter((value) => Math.abs(value) > 2).length / count;
  assert.ok(Math.abs(beyond - 0.0455) < 0.002, `${beyond} of the values are beyond two deviations`);
  assert.ok(values.every(Number.isFinite));
});

test('normal: mean and deviation are as asked for, neighbours do not correlate', async () => {
  using _ = gpu().scope();
  const key: Key = streamKey(6, 'normal');
  const count = 50000;
  const values = await randomNormal(gpu(), [count], key, 3, 0.5).readFloats();
  const { mean, variance } = momentsOf(values);
  assert.ok(Math.abs(mean - 3) < 0.01, `mean ${mean}`);
  assert.ok(Math.abs(variance - 0.25) < 0.01, `variance ${variance}`);
  let product = 0;
  for (let i = 1; i < count; i++) product += ((values[i] - 3) * (values[i - 1] - 3)) / 0.25 / count;
  assert.ok(Math.abs(product) < 4 / Math.sqrt(count), `correlation ${product}`);
});

test('the same key gives the same numbers, other keys others', async () => {
  using _ = gpu().scope();
  const draw = (...path: (string | number)[]) => randomNormal(gpu(), [100], streamKey(1, ...path)).readFloats();
  assert.equal(await draw('a'), await draw('a'));
  assert.not.equal(await draw('a'), await draw('b'));
  assert.not.equal(await draw('a', 1), await draw('a', 2));
});

test.run();

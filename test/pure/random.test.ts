/** The random generator against the known answers of Random123, and the properties of its streams. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fnv1a32, Random, streamKey, threefry2x32 } from '../../src/tensor/random.ts';

const test = suite('random');

test('threefry2x32-20 gives the known answers of Random123', () => {
  const ones = 0xffffffff;
  assert.equal(threefry2x32(0, 0, 0, 0), [0x6b200159, 0x99ba4efe]);
  assert.equal(threefry2x32(ones, ones, ones, ones), [0x1cb996fc, 0xbb002be7]);
  assert.equal(threefry2x32(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3), [0xc4923a9c, 0x483df7a0]);
});

test('fnv1a32 gives its published values', () => {
  assert.is(fnv1a32(''), 0x811c9dc5);
  assert.is(fnv1a32('a'), 0xe40c292c);
  assert.is(fnv1a32('foobar'), 0xbf9cf968);
});

test('a word of a stream is a word of the block that its number names', () => {
  const [key0, key1] = streamKey(7, 'words');
  const random = new Random(7, 'words');
  for (let block = 0; block < 5; block++) {
    assert.equal([random.bits(), random.bits()], threefry2x32(key0, key1, block, 0));
  }
});

test('the same path gives the same numbers, another path others, and streams share nothing', () => {
  const draw = (random: Random): number[] => Array.from({ length: 8 }, () => random.bits());
  const paths = [[], ['a'], ['b'], [1], [2], [1, 2], [2, 1], ['1', 2], ['a', 1]];
  const drawn = paths.map((path) => draw(new Random(3, ...path)));
  assert.is(new Set(drawn.map(String)).size, paths.length);
  const one = new Random(3, 'a');
  const other = new Random(3, 'b');
  const interleaved = Array.from({ length: 8 }, () => [one.bits(), other.bits()]);
  assert.equal(
    interleaved.map((pair) => pair[0]),
    drawn[1],
  );
  assert.not.equal(draw(new Random(4, 'a')), drawn[1]);
});

test('uniform stays in its range, is exact in f32 by default, and has the right mean and variance', () => {
  const random = new Random(11);
  let sum = 0;
  let squares = 0;
  const count = 50_000;
  for (let i = 0; i < count; i++) {
    const value = random.uniform();
    assert.ok(value >= 0 && value < 1 && Math.fround(value) === value);
    sum += value;
    squares += value * value;
  }
  assert.ok(Math.abs(sum / count - 0.5) < 0.006); // four standard errors
  assert.ok(Math.abs(squares / count - 1 / 3) < 0.006);
});

test('integer reaches all values about equally often', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(), (choices, seed) => {
      const random = new Random(seed);
      const counts = new Array<number>(choices).fill(0);
      for (let i = 0; i < 200 * choices; i++) counts[random.integer(choices)] += 1;
      assert.is(counts.length, choices);
      assert.ok(counts.every((count) => Math.abs(count - 200) < 100)); // seven standard deviations
    }),
    { numRuns: 30 },
  );
  const random = new Random(1);
  // A biased remainder would favour the middle of three equal parts.
  const part = 3 * 2 ** 30;
  let below = 0;
  for (let i = 0; i < 4000; i++) below += random.integer(part) < 2 ** 30 ? 1 : 0;
  assert.ok(Math.abs(below / 4000 - 1 / 3) < 0.04);
});

test('normal has mean 0, variance 1 and the tails of a normal', () => {
  const random = new Random(5, 'normal');
  const count = 50_000;
  let sum = 0;
  let squares = 0;
  let beyondTwo = 0;
  for (let i = 0; i < count; i++) {
    const value = random.normal();
    sum += value;
    squares += value * value;
    beyondTwo += Math.abs(value) > 2 ? 1 : 0;
  }
  assert.ok(Math.abs(sum / count) < 0.02);
  assert.ok(Math.abs(squares / count - 1) < 0.03);
  assert.ok(Math.abs(beyondTwo / count - 0.0455) < 0.004);
});

test('permutation is one, and depends on the seed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 200 }), fc.nat(), (n, seed) => {
      const order = new Random(seed, 'order').permutation(n);
      assert.equal(
        [...order].sort((a, b) => a - b),
        Array.from({ length: n }, (_, i) => i),
      );
    }),
  );
  assert.not.equal(new Random(1).permutation(50), new Random(2).permutation(50));
});

test('what is no seed, no path and no number of choices is refused', () => {
  assert.throws(() => new Random(-1), /seed -1/);
  assert.throws(() => new Random(0.5), /seed 0.5/);
  assert.throws(() => new Random(1, 1.5), /stream number 1.5/);
  assert.throws(() => new Random(1).integer(0), /invalid number of choices 0/);
});

test.run();

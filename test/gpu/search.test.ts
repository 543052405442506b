/** Exact search against the float64 reference: the same rows in order, with and without ties, in blocks and rounds. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { ExactIndex, searchBlocks } from '../../src/search/exact.ts';
import * as reference from '../reference/search.ts';
import { hashUniform } from '../support/fixture.ts';
import { gpuSuite, times, VARIANTS, withVariant } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('search');

/** Integers from -range to range, so that products are exact in f32 and ties are exact. */
const numbers = (name: string, count: number, range: number): Float32Array =>
  Float32Array.from(hashUniform(name, count), (u) => Math.round(u * range));

interface Case {
  gallery: number;
  queries: number;
  dimension: number;
  k: number;
  range: number;
}

async function check({ gallery, queries, dimension, k, range }: Case): Promise<void> {
  const rows = numbers(`gallery ${gallery} ${dimension} ${range}`, gallery * dimension, range);
  const asked = numbers(`queries ${queries} ${dimension} ${range}`, queries * dimension, range);
  const expected = reference.search(rows, asked, dimension, k);
  for (const variant of VARIANTS) {
    await withVariant(gpu(), variant, async () => {
      const index = new ExactIndex(gpu(), dimension);
      index.add(rows);
      const found = await index.search(asked, k);
      index.dispose();
      const where = `${variant}: gallery ${gallery}, queries ${queries}, dimension ${dimension}, k ${k}, range ${range}`;
      assert.equal([...found.rows], [...expected.rows], where);
      assert.equal([...found.scores], [...expected.scores], where);
    });
  }
}

test('any sizes, with many ties and with few', async () => {
  const cases = fc.record({
    gallery: fc.constantFrom(1, 2, 3, 7, 8, 9, 63, 64, 65, 127, 300, 521),
    queries: fc.constantFrom(1, 2, 7, 8, 9, 15, 16, 17, 33),
    dimension: fc.constantFrom(1, 2, 3, 4, 5, 8, 15, 16, 17, 20, 128),
    k: fc.constantFrom(1, 2, 3, 10, 63, 64),
    range: fc.constantFrom(0, 1, 3, 300),
  });
  await fc.assert(fc.asyncProperty(cases, check), { numRuns: times(40) });
});

test('more answers than a list holds, and more than the gallery has', async () => {
  for (const k of [65, 128, 200]) {
    for (const range of [1, 300]) await check({ gallery: 150, queries: 3, dimension: 5, k, range });
  }
  await check({ gallery: 5, queries: 2, dimension: 4, k: 8, range: 3 });
});

test('more queries than are asked at once', () => check({ gallery: 9, queries: 8195, dimension: 3, k: 2, range: 2 }));

test('a block may change when the next is asked for', async () => {
  const [dimension, k] = [5, 20];
  const rows = numbers('one memory', 600 * dimension, 3);
  const asked = numbers('asked', 3 * dimension, 3);
  const memory = new Float32Array(100 * dimension);
  async function* stream() {
    for (let from = 0; from < rows.length; from += memory.length) {
      memory.set(rows.subarray(from, from + memory.length));
      yield memory;
    }
    memory.fill(9);
  }
  const found = await searchBlocks(gpu(), stream, dimension, asked, k);
  assert.equal([...found.rows], [...reference.search(rows, asked, dimension, k).rows]);
});

test('rows in many blocks are numbered through, wherever they are cut', async () => {
  const [dimension, k] = [6, 70];
  const rows = numbers('blocks', 400 * dimension, 2);
  const asked = numbers('asked', 9 * dimension, 2);
  const expected = reference.search(rows, asked, dimension, k);
  const sizes = [1, 63, 64, 65, 200, 7];
  const blocks = sizes.map((count, i) => {
    const from = sizes.slice(0, i).reduce((a, b) => a + b, 0);
    return rows.subarray(from * dimension, (from + count) * dimension);
  });
  async function* stream() {
    yield* blocks;
  }
  for (const variant of VARIANTS) {
    const found = await withVariant(gpu(), variant, () => searchBlocks(gpu(), stream, dimension, asked, k));
    assert.equal([...found.rows], [...expected.rows], variant);
  }
  const index = new ExactIndex(gpu(), dimension);
  for (const block of blocks) index.add(block);
  assert.is(index.length, 400);
  assert.equal([...(await index.search(asked, k)).rows], [...expected.rows]);
  index.dispose();
});

test('only the chosen rows of a block are looked at, and numbered by their place among these', async () => {
  const [dimension, count] = [8, 700];
  const rows = numbers('chosen', count * dimension, 3);
  const every = Uint32Array.from({ length: count }, (_, row) => row);
  for (const variant of VARIANTS) {
    for (const [queries, passes] of [
      [1, (row: number) => row % 3 === 1],
      [9, (row: number) => row % 7 !== 2],
      [40, (row: number) => row === 5 || row > 690],
    ] as const) {
      const asked = numbers('asked', queries * dimension, 3);
      const chosen = every.filter(passes);
      const dense = Float32Array.from([...chosen].flatMap((row) => [...rows.subarray(row * 8, row * 8 + 8)]));
      const vectors = gpu().tensor(rows, [count, dimension]).keep();
      const blocks = () => [{ vectors, rows: chosen }, dense, { vectors, rows: chosen.subarray(0, 1) }];
      const found = await withVariant(gpu(), variant, () => searchBlocks(gpu(), blocks, dimension, asked, 70));
      vectors.dispose();
      const all = Float32Array.from([...dense, ...dense, ...dense.subarray(0, 8)]);
      const expected = reference.search(all, asked, dimension, 70);
      assert.equal([...found.rows], [...expected.rows], `${variant}, ${queries} queries`);
      assert.equal([...found.scores], [...expected.scores], `${variant}, ${queries} queries`);
    }
  }
});

test('a gallery over the binding limit, and no tensor left behind', async () => {
  const device = gpu();
  const { bindableBytes } = device;
  const live = device.memory().liveBuffers;
  Object.defineProperty(device, 'bindableBytes', { value: 4096, configurable: true });
  try {
    for (const variant of VARIANTS) {
      await withVariant(device, variant, () => check({ gallery: 500, queries: 3, dimension: 13, k: 10, range: 5 }));
    }
  } finally {
    Object.defineProperty(device, 'bindableBytes', { value: bindableBytes, configurable: true });
  }
  assert.is(device.memory().liveBuffers, live);
});

test('real cosines: the score is the dot product', async () => {
  const dimension = 128;
  const [rows, asked] = ['rows', 'asked'].map((name, i) =>
    Float32Array.from(hashUniform(name, [1000, 5][i] * dimension)),
  );
  const index = new ExactIndex(gpu(), dimension);
  index.add(rows);
  const { scores, rows: found } = await index.search(asked, 10);
  index.dispose();
  const expected = reference.search(rows, asked, dimension, 10);
  scores.forEach((score, i) => {
    assert.ok(Math.abs(score - expected.scores[i]) < 1e-3, `${score} instead of ${expected.scores[i]}`);
  });
  assert.equal([...found], [...expected.rows]);
});

test('an empty gallery has no answer', async () => {
  const index = new ExactIndex(gpu(), 3);
  const { rows, scores } = await index.search(Float32Array.of(1, 2, 3), 2);
  assert.equal([...rows], [-1, -1]);
  assert.equal([...scores], [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
});

test('what does not fit is refused', async () => {
  const index = new ExactIndex(gpu(), 3);
  assert.throws(() => index.add(new Float32Array(4)), /gallery has 4 numbers, .* multiple of the dimension 3/);
  assert.throws(() => index.add(Float32Array.of(0, 0, 0, 1, Number.NaN, 0)), /gallery\[1, 1\] is NaN/);
  for (const [queries, k, expected] of [
    [new Float32Array(5), 1, /queries has 5 numbers/],
    [new Float32Array(3), 0, /k is 0/],
    [Float32Array.of(1, Number.POSITIVE_INFINITY, 0), 1, /queries\[0, 1\] is Infinity/],
  ] as const) {
    await index.search(queries, k).then(
      () => assert.unreachable(),
      (error) => assert.match(error.message, expected),
    );
  }
});

test.run();

/** k-means against the float64 reference: single steps, whole runs of Lloyd's iterations, and initial centres. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { assign, kmeans, kmeansPlusPlus, lloyd, update } from '../../src/romo/method/kmeans.ts';
import { Random } from '../../src/tensor/random.ts';
import * as reference from '../reference/kmeans.ts';
import { assertValues, EXACTLY } from '../support/close.ts';
import { gpuSuite, times } from '../support/gpu.ts';
import { argument } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('kmeans');

const cases = fc.record({
  rows: fc.constantFrom(1, 2, 7, 63, 64, 65, 130),
  channels: fc.constantFrom(1, 3, 4, 8, 17), // multiples of 4 use the vec4 kernels
  clusters: fc.constantFrom(1, 2, 5, 10),
});

/** A few distinct integers, so that distances are exact in f32 and ties are frequent. */
const whole = (name: string, shape: readonly number[]) => argument(name, shape, -4, 4).data.map(Math.round);

test('assign: the nearest centre, ties to the lower', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ rows, channels, clusters }) => {
      using _ = gpu().scope();
      const x = whole('rows', [rows, channels]);
      const centres = whole('centres', [clusters, channels]);
      const { labels, distances } = assign(
        gpu().tensor(x, [rows, channels]),
        gpu().tensor(centres, [clusters, channels]),
      );
      const expected = reference.assign(x, centres, channels);
      assertValues('kmeans, labels', await labels.read(), expected, EXACTLY);
      const squared = Array.from(expected, (label, row) => {
        let sum = 0;
        for (let c = 0; c < channels; c++) sum += (x[row * channels + c] - centres[label * channels + c]) ** 2;
        return sum;
      });
      assertValues('kmeans, squared distances', await distances.readFloats(), squared, EXACTLY);
    }),
    { numRuns: times(25) },
  );
});

test('update: the mean of its rows; an empty cluster keeps its centre', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ rows, channels, clusters }) => {
      using _ = gpu().scope();
      const { data } = argument('rows', [rows, channels]);
      const start = argument('centres', [clusters, channels]).data;
      const filled = Math.max(1, clusters - 1); // the last of several stays empty
      const labels = Int32Array.from({ length: rows }, (_, row) => (row * 7) % filled);
      const centres = gpu().tensor(start, [clusters, channels]);
      update(gpu().tensor(data, [rows, channels]), gpu().tensor(labels, [rows]), centres);
      const expected = Float64Array.from(start);
      for (let cluster = 0; cluster < clusters; cluster++) {
        const own = [...labels.keys()].filter((row) => labels[row] === cluster);
        for (let c = 0; c < channels && own.length > 0; c++) {
          expected[cluster * channels + c] = own.reduce((sum, row) => sum + data[row * channels + c], 0) / own.length;
        }
      }
      assertValues('kmeans, centres', await centres.readFloats(), expected, { rtol: 1e-5, atol: 1e-6 });
    }),
    { numRuns: times(25) },
  );
});

test('lloyd: the same centres and labels as the reference', async () => {
  const size = fc.record({ rows: fc.constantFrom(20, 64, 65), channels: fc.constantFrom(3, 8) });
  await fc.assert(
    fc.asyncProperty(size, fc.nat(6), async ({ rows, channels }, iterations) => {
      using _ = gpu().scope();
      const { data, shape } = argument(`rows ${rows}`, [rows, channels]);
      const start = data.slice(0, 4 * channels);
      const found = await lloyd(gpu(), gpu().tensor(data, shape), start, iterations);
      const expected = reference.kmeans(data, start, channels, iterations);
      assert.equal([...found.labels], [...expected.labels]);
      assertValues('kmeans, centres', found.centres, expected.centroids, { rtol: 1e-4, atol: 1e-5 });
      let inertia = 0;
      data.forEach((value, i) => {
        const label = expected.labels[Math.floor(i / channels)];
        inertia += (value - expected.centroids[label * channels + (i % channels)]) ** 2;
      });
      assertValues('kmeans, inertia', [found.inertia], [inertia], { rtol: 1e-4, atol: 1e-5 });
    }),
    { numRuns: times(10) },
  );
});

/** Rows around corners, in turn, so close to them that two initial centres in one group are practically impossible. */
function corners(rows: number, clusters: number, channels: number): Float32Array {
  const { data } = argument('noise', [rows, channels], -1e-3, 1e-3);
  return data.map((value, i) => value + (Math.floor(i / channels) % clusters === i % channels ? 10 : 0));
}

test('kmeansPlusPlus: starts are rows, one in each far group, the same for the same seed', () => {
  const [clusters, channels] = [5, 6];
  const x = corners(100, clusters, channels);
  fc.assert(
    fc.property(fc.nat(100000), (seed) => {
      const starts = kmeansPlusPlus(x, channels, clusters, new Random(seed, 'test'));
      const groups = new Set<number>();
      for (let cluster = 0; cluster < clusters; cluster++) {
        const start = starts.subarray(cluster * channels, (cluster + 1) * channels);
        const row = Array.from({ length: 100 }, (_, r) => r).find((r) =>
          start.every((v, c) => v === x[r * channels + c]),
        );
        assert.ok(row !== undefined, `start ${cluster} is none of the rows`);
        groups.add(row % clusters);
      }
      assert.is(groups.size, clusters);
      assert.equal(starts, kmeansPlusPlus(x, channels, clusters, new Random(seed, 'test')));
    }),
    { numRuns: times(25) },
  );
});

test('kmeans finds groups that lie apart, the same way each time', async () => {
  const [rows, clusters, channels] = [90, 3, 4];
  const x = corners(rows, clusters, channels);
  const options = { clusters, seed: 7, stream: 'test' };
  const found = await kmeans(gpu(), x, channels, options);
  for (let row = clusters; row < rows; row++) assert.is(found.labels[row], found.labels[row % clusters]);
  assert.is(new Set(found.labels).size, clusters);
  assert.equal(await kmeans(gpu(), x, channels, options), found);
});

test('all rows equal, as many clusters as rows, and too few rows', async () => {
  const same = await kmeans(gpu(), new Float32Array(12).fill(2), 3, { clusters: 2, seed: 1, stream: 'test' });
  assert.is(same.inertia, 0);
  const each = await kmeans(gpu(), Float32Array.of(0, 10, 20, 30), 1, { clusters: 4, seed: 1, stream: 'test' });
  assert.is(each.inertia, 0);
  try {
    await kmeans(gpu(), new Float32Array(6), 3, { clusters: 3, seed: 1, stream: 'test' });
    assert.unreachable('two rows cannot make three clusters');
  } catch (error) {
    assert.match((error as Error).message, /kmeans: 2 rows cannot make 3 clusters/);
  }
});

test.run();

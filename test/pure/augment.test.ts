/** Augmentation: what each strength does, and what it must not do. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { augmentCloud, augmentImage } from '../../src/data/augment.ts';
import type { CloudRotation, Strength } from '../../src/data/types.ts';
import { Random } from '../../src/tensor/random.ts';

const test = suite('augment');

const upright: CloudRotation = { axis: 2, maxDegrees: 180 };
const shape = [16, 16, 2] as const;
const seeds = fc.nat();

function randomImage(seed: number): Float32Array {
  const random = new Random(seed, 'image');
  return Float32Array.from({ length: 512 }, () => random.uniform());
}

function randomCloud(count: number, seed: number): Float32Array {
  const random = new Random(seed, 'cloud');
  return Float32Array.from({ length: 3 * count }, () => random.uniform(-0.5, 0.5));
}

test('none leaves the image as it is, and the cloud a fixed part of itself that ignores the random numbers', () => {
  const image = randomImage(1);
  const out = new Float32Array(512);
  augmentImage(image, shape, 'none', true, new Random(1), out);
  assert.equal(out, image);
  const cloud = randomCloud(100, 1);
  const drawn = cloudWith(cloud, 40, 'none', upright, 1);
  assert.equal(drawn, cloudWith(cloud, 40, 'none', upright, 2));
  const indices = rowsOf(drawn).map((row) => rowsOf(cloud).indexOf(row));
  assert.ok(indices.every((index, i) => index >= 0 && (i === 0 || index > indices[i - 1])));
  assert.equal(cloudWith(cloud, 100, 'none', upright, 1), cloud);
});

test('the same random stream gives the same result, another one another', () => {
  const image = randomImage(2);
  const cloud = randomCloud(50, 2);
  for (const strength of ['mild', 'strong'] as const) {
    const twice = [1, 1, 2].map((seed) => imageWith(image, strength, true, seed));
    assert.equal(twice[0], twice[1]);
    assert.not.equal(twice[0], twice[2]);
    const clouds = [1, 1, 2].map((seed) => cloudWith(cloud, 20, strength, upright, seed));
    assert.equal(clouds[0], clouds[1]);
    assert.not.equal(clouds[0], clouds[2]);
  }
});

test('mild images: a shift of at most one pixel in 16, times a brightness near 1, unmirrored where not allowed', () => {
  const image = randomImage(3).map((value) => 0.2 + 0.5 * value); // no value is clamped at 1
  let mirrored = 0;
  for (let seed = 0; seed < 40; seed++) {
    assert.is(explain(image, imageWith(image, 'mild', false, seed)), 'plain');
    mirrored += explain(image, imageWith(image, 'mild', true, seed)) === 'mirrored' ? 1 : 0;
  }
  assert.ok(mirrored > 8 && mirrored < 32, `${mirrored} of 40 are mirrored`);
});

test('strong images stay in 0..1, a flat image stays flat, and digits are never mirrored', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      assert.ok(imageWith(randomImage(seed), 'strong', true, seed).every((value) => value >= 0 && value <= 1));
      const flat = imageWith(new Float32Array(512).fill(0.5), 'strong', true, seed);
      assert.ok(flat.every((value) => Math.abs(value - flat[0]) < 1e-6 && value >= 0.39 && value <= 0.61));
      // A bright half stays on its side, whatever rotation, shear and scale do.
      const half = Float32Array.from({ length: 512 }, (_, i) => ((i >> 1) % 16 < 8 ? 1 : 0));
      const out = imageWith(half, 'strong', false, seed);
      const left = out[2 * (16 * 8 + 3)];
      const right = out[2 * (16 * 8 + 12)];
      assert.ok(left > right + 0.5, `left ${left}, right ${right}`);
    }),
  );
});

test('clouds: drawn without replacement where there are enough points, each at least once where not', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }), seeds, (total, points, seed) => {
      const cloud = randomCloud(total, seed);
      const drawn = cloudWith(cloud, points, 'mild', upright, seed);
      assert.is(new Set(rowsOf(drawn)).size, Math.min(total, points));
    }),
  );
});

test('mild clouds: scaled per axis by 2/3 to 3/2 and shifted by at most 0.2', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const [scaleX, shear, shiftX] = firstRow(cloudMap('mild', upright, seed));
      assert.ok(scaleX >= 2 / 3 - 1e-5 && scaleX <= 1.5 + 1e-5 && shear === 0 && Math.abs(shiftX) <= 0.2);
    }),
  );
});

test('strong clouds: scaled by 4/5 to 5/4 and shifted by at most 0.05', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const map = cloudMap('strong', { axis: 2, maxDegrees: 0 }, seed);
      map.forEach((row, axis) => {
        assert.ok(row[axis] >= 4 / 5 - 1e-5 && row[axis] <= 5 / 4 + 1e-5 && Math.abs(row[3]) <= 0.05 + 1e-6, `${row}`);
      });
    }),
  );
});

test('strong clouds: turned about the named axis only, as far as allowed', () => {
  const widest = [0, 0];
  fc.assert(
    fc.property(fc.constantFrom(0 as const, 1 as const, 2 as const), seeds, (axis, seed) => {
      const map = cloudMap('strong', { axis, maxDegrees: 20 }, seed);
      const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
      for (const other of [u, v]) {
        assert.is(map[axis][other], 0); // height does not mix with the plane of rotation
        assert.is(map[other][axis], 0);
      }
      // Column u is (cos * scale u, sin * scale v), so its ratio gives the angle up to the scales.
      const slope = map[v][u] / map[u][u];
      assert.ok(map[u][u] > 0 && Math.abs(slope) <= Math.tan(Math.PI / 9) * 2.25 + 1e-4, `slope ${slope}`);
      widest[0] = Math.max(widest[0], Math.abs(slope));
      const free = cloudMap('strong', { axis, maxDegrees: 180 }, seed);
      widest[1] = Math.min(widest[1], free[u][u]);
    }),
  );
  assert.ok(widest[0] > 0.2, 'angles of some size occur');
  assert.ok(widest[1] < -0.5, 'half a turn occurs where any angle is allowed');
});

test('arrays of other sizes are refused', () => {
  assert.throws(
    () => augmentImage(new Float32Array(5), shape, 'none', false, new Random(1), new Float32Array(512)),
    /augmentImage: shape \[16,16,2\] needs 512 values, image has 5/,
  );
  assert.throws(() => cloudWith(new Float32Array(4), 2, 'mild', upright, 1), /cloud has 4 values/);
  assert.throws(() => cloudWith(new Float32Array(0), 2, 'none', upright, 1), /cloud has 0 values/);
});

function imageWith(image: Float32Array, strength: Strength, mirror: boolean, seed: number): Float32Array {
  const out = new Float32Array(image.length);
  augmentImage(image, shape, strength, mirror, new Random(seed), out);
  return out;
}

function cloudWith(
  cloud: Float32Array,
  points: number,
  strength: Strength,
  rotation: CloudRotation,
  seed: number,
): Float32Array {
  const out = new Float32Array(3 * points);
  augmentCloud(cloud, { points }, strength, rotation, new Random(seed), out);
  return out;
}

function rowsOf(cloud: Float32Array): string[] {
  return Array.from({ length: cloud.length / 3 }, (_, i) => String(cloud.slice(3 * i, 3 * i + 3)));
}

/** The affine map [3][4] of a seed, measured with clouds of one point. */
function cloudMap(strength: Strength, rotation: CloudRotation, seed: number): number[][] {
  const image = (point: number[]): Float32Array => cloudWith(Float32Array.from(point), 1, strength, rotation, seed);
  const shift = image([0, 0, 0]);
  const columns = [0, 1, 2].map((axis) => image([0, 1, 2].map((other) => (other === axis ? 1 : 0))));
  return [0, 1, 2].map((row) => [...columns.map((column) => column[row] - shift[row]), shift[row]]);
}

function firstRow(map: number[][]): [number, number, number] {
  return [map[0][0], map[0][1], map[0][3]];
}

/** The result of searching the shift (-1..1) and brightness (0.9..1.1) that give `out`: mirrored, plain or none. */
function explain(image: Float32Array, out: Float32Array): string {
  for (const kind of ['plain', 'mirrored']) {
    for (let dx = -1; dx <= 1; dx++) {
      for (let dy = -1; dy <= 1; dy++) {
        let [smallest, largest] = [Number.POSITIVE_INFINITY, 0];
        for (let y = 2; y < 14; y++) {
          for (let x = 2; x < 14; x++) {
            const sourceX = kind === 'plain' ? x + dx : 15 - x + dx;
            const ratio = out[2 * (16 * y + x)] / image[2 * (16 * (y + dy) + sourceX)];
            smallest = Math.min(smallest, ratio);
            largest = Math.max(largest, ratio);
          }
        }
        if (largest - smallest < 1e-4 && smallest >= 0.899 && largest <= 1.101) return kind;
      }
    }
  }
  return 'none';
}

test.run();

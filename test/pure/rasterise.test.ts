/** The rasteriser: coverage, hidden surfaces, directions, light, framing. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { join, type Mesh, move, paint, turn } from '../../src/data/shapes/mesh.ts';
import { box, ellipsoid } from '../../src/data/shapes/primitives.ts';
import { randomView, rasterise, type View } from '../../src/data/shapes/rasterise.ts';
import { makeShape } from '../../src/data/shapes/shapes.ts';
import { Random } from '../../src/tensor/random.ts';

const test = suite('rasterise');

const front: View = { azimuth: 0, elevation: 0, distance: 3, fill: 0.5, offset: [0, 0], brightness: 1 };
const FRONT_LIGHT = 0.3 + 0.7 * (0.8 / Math.sqrt(0.45 ** 2 + 0.55 ** 2 + 0.8 ** 2)); // ambient + Lambert

test('a cube from the front fills the frame as told, evenly lit, black around', () => {
  const image = rasterise(box([0, 0, 0], [1, 1, 1]), front, 32);
  for (let y = 0; y < 32; y++) {
    for (let x = 0; x < 32; x++) {
      const inside = x >= 8 && x < 24 && y >= 8 && y < 24;
      const value = image[32 * y + x];
      assert.ok(Math.abs(value - (inside ? FRONT_LIGHT : 0)) < 1e-5, `pixel ${x}, ${y}: ${value}`);
    }
  }
});

test('brightness and albedo multiply the light; the offset moves the picture to the end of the margin', () => {
  const cube = box([0, 0, 0], [1, 1, 1]);
  const dim = rasterise(paint(cube, 0.5), { ...front, brightness: 0.6 }, 32);
  assert.ok(Math.abs(dim[32 * 16 + 16] - 0.3 * FRONT_LIGHT) < 1e-5);
  const moved = rasterise(cube, { ...front, offset: [1, -1] }, 32);
  assert.ok(moved[31] > 0.5 && moved[32 * 15 + 16] > 0.5); // the upper right quarter
  assert.is(moved[32 * 16 + 31], 0);
  assert.is(moved[15], 0);
});

test('what is nearer hides what is farther, in either order of drawing', () => {
  const wall = paint(box([-0.5, 0, 0], [0.1, 1, 1]), 0.2);
  const post = paint(box([0.5, 0, 0], [0.1, 0.3, 0.3]), 0.9);
  const one = rasterise(join([wall, post]), front, 32);
  const other = rasterise(join([post, wall]), front, 32);
  assert.equal(one, other);
  assert.ok(Math.abs(one[32 * 16 + 16] - 0.9 * FRONT_LIGHT) < 1e-5);
  const behind = rasterise(join([wall, post]), { ...front, azimuth: 180 }, 32);
  assert.ok(Math.abs(behind[32 * 16 + 16] - 0.2 * FRONT_LIGHT) < 1e-5);
});

test('z is up, and seen from +x the +y side is on the right', () => {
  const cube = box([0, 0, 0], [1, 1, 1]);
  const sum = (image: Float32Array, keep: (x: number, y: number) => boolean): number =>
    image.reduce((total, value, i) => total + (keep(i % 32, Math.floor(i / 32)) ? value : 0), 0);
  const high = rasterise(join([paint(cube, 0.1), box([0, 0, 1], [0.5, 0.5, 1])]), front, 32);
  assert.ok(sum(high, (_, y) => y < 16) > 3 * sum(high, (_, y) => y >= 16));
  const aside = rasterise(join([paint(cube, 0.1), box([0, 1, 0], [0.5, 1, 0.5])]), front, 32);
  assert.ok(sum(aside, (x) => x >= 16) > 3 * sum(aside, (x) => x < 16));
  const above = rasterise(
    join([paint(cube, 0.1), paint(box([0, 0, 0.5], [1, 1, 0.02]), 1)]),
    { ...front, elevation: 80 },
    32,
  );
  assert.ok(above[32 * 16 + 16] > 0.5); // the bright lid is seen from above
});

test('light comes from the upper left of the camera, wherever the camera stands', () => {
  for (const azimuth of [0, 75, 200]) {
    const ball = rasterise(ellipsoid([0, 0, 0], [1, 1, 1], 40), { ...front, azimuth }, 32);
    const at = (x: number, y: number): number => ball[32 * y + x];
    assert.ok(at(12, 12) > at(20, 12) && at(12, 12) > at(12, 20) && at(20, 20) < at(12, 20));
  }
});

test('to walk around an object is to turn it the other way', () => {
  fc.assert(
    fc.property(fc.nat({ max: 9 }), fc.integer({ min: 0, max: 359 }), fc.nat(), (classIndex, degrees, seed) => {
      const mesh = makeShape(classIndex, new Random(seed));
      const view = randomView(new Random(seed, 'view'));
      const walked = rasterise(mesh, { ...view, azimuth: view.azimuth + degrees }, 24);
      const turned = rasterise(turn(mesh, 'z', -degrees), view, 24);
      const difference = walked.reduce((sum, value, i) => sum + Math.abs(value - turned[i]), 0) / walked.length;
      assert.ok(difference < 0.002, `mean difference ${difference}`); // samples on an edge may go to either side
    }),
    { numRuns: 30 },
  );
});

test('any view of any object stays in the frame, touches what fill allows, and is within 0..1', () => {
  fc.assert(
    fc.property(fc.nat({ max: 9 }), fc.nat(), (classIndex, seed) => {
      const image = rasterise(makeShape(classIndex, new Random(seed)), randomView(new Random(seed, 'view')), 48);
      assert.ok(image.every((value) => value >= 0 && value <= 1));
      const extent = (coordinate: (i: number) => number): number => {
        const used = Array.from(image.keys()).filter((i) => image[i] > 0);
        return Math.max(...used.map(coordinate)) - Math.min(...used.map(coordinate)) + 1;
      };
      const longer = Math.max(
        extent((i) => i % 48),
        extent((i) => Math.floor(i / 48)),
      );
      assert.ok(longer >= 0.7 * 48, `the picture is ${longer} pixels long`);
    }),
    { numRuns: 40 },
  );
});

test('edges are smoothed: a slanted edge has grey values between', () => {
  const tilted: Mesh = turn(move(box([0, 0, 0], [0.5, 1, 1]), [0, 0, 0]), 'x', 20);
  const image = rasterise(tilted, front, 32);
  const between = image.filter((value) => value > 0.02 && value < FRONT_LIGHT - 0.02);
  assert.ok(between.length > 15);
});

test.run();

/** The solids, the ten classes built from them, surface sampling, and the data set as a whole. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bounds, type Mesh, move, scale, triangleAreas, turn } from '../../src/data/shapes/mesh.ts';
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import {
  box,
  cylinder,
  ellipsoid,
  lathe,
  prism,
  rectangle,
  roundedRectangle,
  tube,
} from '../../src/data/shapes/primitives.ts';
import { samplePoints } from '../../src/data/shapes/sampling.ts';
import { makeShape, SHAPE_CLASSES, shapeClass } from '../../src/data/shapes/shapes.ts';
import type { DataOptions } from '../../src/data/types.ts';
import { Random } from '../../src/tensor/random.ts';

const test = suite('shapes');

const options: DataOptions = { imageSize: 20, points: 64, train: 40, test: 20, seed: 5 };

test('every solid is closed, faces outward, and has the area and volume of its formula', () => {
  const solids: [string, Mesh, number, number, number][] = [
    // name, mesh, area, volume, tolerance (round ones are a little smaller than their formula)
    ['box', box([1, 2, 3], [1, 2, 3]), 22, 6, 1e-9],
    ['frustum of a pyramid', prism(rectangle(1, 1), rectangle(0.5, 0.5), 0, 1), 5 + 6 * Math.sqrt(1.25), 7 / 3, 1e-9],
    ['rounded plate', roundedPlate(), 2 * (8 - 4 + Math.PI) + (4 + 2 * Math.PI) * 0.1, 0.1 * (4 + Math.PI), 0.01],
    ['cylinder', cylinder(0.5, 0.5, 2, 64), 2.5 * Math.PI, Math.PI / 2, 0.01],
    ['sphere', ellipsoid([3, 0, 0], [1, 1, 1], 64), 4 * Math.PI, (4 / 3) * Math.PI, 0.01],
    ['tube', tube([[0, 0, 0], [0, 1, 0], [0, 3, 0]], 0.5, 64), 3.5 * Math.PI, 0.75 * Math.PI, 0.01], // biome-ignore format: a row
    ['ring', ring(), 4 * Math.PI * Math.PI * 2 * 0.5, 2 * Math.PI * Math.PI * 2 * 0.25, 0.01],
  ];
  for (const [name, mesh, area, volume, tolerance] of solids) {
    assertClosed(mesh, name);
    const measured = triangleAreas(mesh).reduce((sum, value) => sum + value, 0);
    assert.ok(Math.abs(measured / area - 1) < tolerance, `${name}: area ${measured}, expected ${area}`);
    assert.ok(Math.abs(volumeOf(mesh) / volume - 1) < tolerance, `${name}: volume ${volumeOf(mesh)}, not ${volume}`);
  }
});

test('moving, turning and scaling keep solids closed; volume follows', () => {
  const factor = fc.double({ min: 0.2, max: 3, noNaN: true });
  const axis = fc.constantFrom('x' as const, 'y' as const, 'z' as const);
  fc.assert(
    fc.property(fc.tuple(factor, factor, factor), axis, fc.integer({ min: -360, max: 360 }), (by, about, degrees) => {
      const mesh = turn(scale(move(box([0, 0, 0], [1, 1, 1]), [1, 0, 0]), by), about, degrees);
      assertClosed(mesh, 'box');
      assert.ok(Math.abs(volumeOf(mesh) / (by[0] * by[1] * by[2]) - 1) < 1e-9);
    }),
  );
  const marker = turn(move(box([0, 0, 0], [0.1, 0.1, 0.1]), [1, 0, 0]), 'z', 90); // x goes to y
  assert.ok(bounds(marker).low[1] > 0.9 && Math.abs(bounds(marker).high[0]) < 0.1);
});

test('every object of every class is made of closed parts, finite, of longest side 1 around its centre', () => {
  fc.assert(
    fc.property(fc.nat({ max: SHAPE_CLASSES.length - 1 }), fc.nat(), (classIndex, seed) => {
      const mesh = makeShape(classIndex, new Random(seed));
      const name = `${SHAPE_CLASSES[classIndex]}, seed ${seed}`;
      assertClosed(mesh, name);
      assert.ok(volumeOf(mesh) > 0, name);
      const { low, high } = bounds(mesh);
      const sides = [0, 1, 2].map((axis) => high[axis] - low[axis]);
      assert.ok(Math.abs(Math.max(...sides) - 1) < 1e-9, name);
      const cloud = samplePoints(mesh, 2000, new Random(seed, 'points'));
      for (let axis = 0; axis < 3; axis++) {
        const values = cloud.filter((_, i) => i % 3 === axis);
        assert.ok(Math.abs(values.reduce((sum, value) => sum + value, 0) / 2000) < 0.05, name);
        assert.ok(
          values.every((value) => value > low[axis] - 1e-6 && value < high[axis] + 1e-6),
          name,
        );
      }
    }),
    { numRuns: 60 },
  );
});

test('objects of one class differ in their proportions', () => {
  for (let classIndex = 0; classIndex < SHAPE_CLASSES.length; classIndex++) {
    const shortest = Array.from({ length: 10 }, (_, seed) => {
      const { low, high } = bounds(makeShape(classIndex, new Random(seed)));
      return Math.min(...[0, 1, 2].map((axis) => high[axis] - low[axis]));
    });
    const spread = Math.max(...shortest) / Math.min(...shortest);
    assert.ok(spread > 1.1, `${SHAPE_CLASSES[classIndex]}: ${spread}`);
  }
});

test('points fall on faces in proportion to their area', () => {
  const size = [1, 2, 4] as const;
  const count = 20_000;
  const cloud = samplePoints(box([0, 0, 0], size), count, new Random(3));
  const hits = [0, 0, 0];
  for (let i = 0; i < cloud.length; i += 3) {
    const axis = [0, 1, 2].find((a) => Math.abs(Math.abs(cloud[i + a]) - size[a] / 2) < 1e-6);
    assert.ok(axis !== undefined, 'a point lies off the surface');
    hits[axis] += 1;
  }
  const areas = [8, 4, 2];
  for (let axis = 0; axis < 3; axis++) {
    assert.ok(Math.abs(hits[axis] / count - areas[axis] / 14) < 0.015, `axis ${axis}: ${hits[axis]}`);
  }
  // Uniform within a face too: each quarter of the largest one has a quarter of the points.
  let quarter = 0;
  let face = 0;
  for (let i = 0; i < cloud.length; i += 3) {
    if (Math.abs(cloud[i] - 0.5) > 1e-6) continue;
    face += 1;
    quarter += cloud[i + 1] > 0 && cloud[i + 2] > 0 ? 1 : 0;
  }
  assert.ok(Math.abs(quarter / face - 0.25) < 0.025);
});

test('classes are balanced in each run of ten, in an order that differs between runs, splits and seeds', () => {
  const order = (seed: number, split: 'train' | 'test', from: number): number[] =>
    Array.from({ length: 10 }, (_, i) => shapeClass(seed, split, from + i));
  const orders = [order(0, 'train', 0), order(0, 'train', 10), order(0, 'test', 0), order(1, 'train', 0)];
  for (const classes of orders) assert.is(new Set(classes).size, 10);
  assert.is(new Set(orders.map(String)).size, 4);
});

test('the data set: shapes of arrays, values, determinism, progress', async () => {
  const steps: number[] = [];
  const data = await openShapes({
    ...options,
    onProgress: (done, total) => {
      assert.is(total, 60);
      steps.push(done);
    },
  });
  assert.equal(steps, [25, 40, 60]);
  assert.is(data.train.pairs.length, 40);
  assert.is(data.test.labels.values.length, 20);
  assert.is(data.train.labels.classNames.length, 10);
  const { pairs } = data.train;
  assert.equal(pairs.imageShape, [20, 20, 1]);
  const different = new Set<string>();
  const samples = await pairs.load(Array.from({ length: 40 }, (_, i) => i));
  for (const [i, { image, cloud }] of samples.entries()) {
    assert.is(image.length, 400);
    assert.is(cloud.length, 3 * 1024);
    assert.ok(image.every((value) => value >= 0 && value <= 1) && cloud.every(Number.isFinite));
    assert.ok(image.filter((value) => value > 0.1).length > 20, 'there is something in the picture');
    different.add(`${pairs.id(i)} ${image.slice(0, 400)} ${cloud[0]}`);
  }
  assert.is(different.size, 40);
  // Asking for more objects does not change the first ones; another seed or split does.
  const longer = await openShapes({ ...options, train: 50 });
  assert.equal((await longer.train.pairs.load([7]))[0], samples[7]);
  assert.is(longer.train.labels.values[7], data.train.labels.values[7]);
  const other = await openShapes({ ...options, seed: 6 });
  for (const { pairs: others } of [other.train, data.test]) {
    assert.not.equal((await others.load([7]))[0].cloud, samples[7].cloud);
  }
});

function roundedPlate(): Mesh {
  // 2 x 4 with corners of radius 1: a stadium of area 4 + pi
  const outline = roundedRectangle(1, 2, 1, 33);
  return prism(outline, outline, 0, 0.1);
}

/** A torus with radii 2 and 0.5, as a lathe whose profile ends where it starts. */
function ring(): Mesh {
  const profile = Array.from({ length: 65 }, (_, i): [number, number] => {
    const angle = (2 * Math.PI * (i % 64)) / 64;
    return [2 + 0.5 * Math.cos(angle), 0.5 * Math.sin(angle)];
  });
  return lathe(profile, 64);
}

/** Each directed edge has an opposite one, and the corners' normals point to the same side as the face's. */
function assertClosed(mesh: Mesh, name: string): void {
  const edges = new Map<string, number>();
  const { positions, normals } = mesh;
  assert.ok(positions.length > 0 && positions.every(Number.isFinite) && normals.every(Number.isFinite), name);
  assert.is(normals.length, positions.length, name);
  assert.is(mesh.albedo.length, positions.length / 9, name);
  for (let at = 0; at < positions.length; at += 9) {
    const corners = [0, 3, 6].map((i) => positions.slice(at + i, at + i + 3));
    const keys = corners.map(String);
    for (let i = 0; i < 3; i++) {
      const [from, to] = [keys[i], keys[(i + 1) % 3]];
      edges.set(`${from} ${to}`, (edges.get(`${from} ${to}`) ?? 0) + 1);
      edges.set(`${to} ${from}`, (edges.get(`${to} ${from}`) ?? 0) - 1);
    }
    const [u, v] = [1, 2].map((i) => corners[i].map((value, axis) => value - corners[0][axis]));
    const face = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    for (let i = 0; i < 9; i += 3) {
      const n = normals.slice(at + i, at + i + 3);
      assert.ok(n[0] * face[0] + n[1] * face[1] + n[2] * face[2] > 0, `${name}: a normal points inward`);
      assert.ok(Math.abs(n[0] * n[0] + n[1] * n[1] + n[2] * n[2] - 1) < 1e-9, `${name}: a normal of another length`);
    }
  }
  assert.ok(
    [...edges.values()].every((count) => count === 0),
    `${name} is open`,
  );
}

/** By the divergence theorem, the sum of the signed volumes of the tetrahedra from the origin. */
function volumeOf(mesh: Mesh): number {
  let six = 0;
  for (let i = 0; i < mesh.positions.length; i += 9) {
    const [ax, ay, az, bx, by, bz, cx, cy, cz] = mesh.positions.slice(i, i + 9);
    six += ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx);
  }
  return six / 6;
}

test.run();

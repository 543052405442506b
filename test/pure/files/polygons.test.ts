/** Polygons are cut along their inside, in all formats that have them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { surfaceOf } from '../../../src/data/shapes/surface.ts';
import { parseGeometry } from '../../../src/files/formats.ts';
import { rejects, surfaceArea, textBytes } from '../../support/files.ts';

const test = suite('polygons');

type Point = readonly [number, number, number];

/** A polygon in each text format. */
const written = (points: readonly Point[]): Record<string, string> => {
  const rows = points.map((point) => point.join(' '));
  const indices = points.map((_, i) => i);
  const [vertices, face] = [rows.join('\n'), `${points.length} ${indices.join(' ')}`];
  return {
    'a.off': `OFF\n${points.length} 1 0\n${vertices}\n${face}\n`,
    'a.obj': `f ${indices.map((i) => i + 1).join(' ')}\n${rows.map((row) => `v ${row}`).join('\n')}\n`,
    'a.ply': `ply\nformat ascii 1.0\nelement vertex ${points.length}\nproperty double x\nproperty double y\nproperty double z\nelement face 1\nproperty list int int vertex_index\nend_header\n${vertices}\n${face}\n`,
    'a.stl': `solid\nfacet normal 0 0 0\nouter loop\n${rows.map((row) => `vertex ${row}`).join('\n')}\nendloop\nendfacet\nendsolid\n`,
  };
};

const L: Point[] = [
  [0, 0, 0],
  [12, 0, 0],
  [12, 0.2, 0],
  [2, 0.2, 0],
  [2, 5.2, 0],
  [0, 5.2, 0],
];
const rotated = <T>(list: readonly T[], by: number) => [...list.slice(by), ...list.slice(0, by)];
/** In the plane z = x / 2 + y, and far from the origin. */
const tilted = (points: readonly Point[]) =>
  points.map(([x, y]): Point => [500_000 + x, 5_400_000 + y, 300 + x / 2 + y]);

test('a concave polygon has its own area, from whichever corner it is written and however it lies', async () => {
  for (let first = 0; first < L.length; first++) {
    for (const points of [rotated(L, first), rotated([...L].reverse(), first)]) {
      for (const [name, text] of Object.entries(written(points))) {
        const mesh = await parseGeometry(textBytes(text), name);
        assert.ok(Math.abs(surfaceArea(mesh) - 12.4) < 1e-9, `${name} from corner ${first}: ${surfaceArea(mesh)}`);
        assert.is(mesh.triangles?.length, 12);
      }
      const mesh = await parseGeometry(textBytes(written(tilted(points))['a.off']), 'a.off');
      assert.ok(Math.abs(surfaceArea(mesh) - 12.4 * 1.5) < 1e-6);
    }
  }
});

test('the triangles are wound like the polygon', async () => {
  for (const [points, z] of [
    [rotated(L, 1), 1],
    [rotated([...L].reverse(), 1), -1],
  ] as const) {
    const { normals } = surfaceOf(await parseGeometry(textBytes(written(points)['a.off']), 'a.off'), 'a.off');
    assert.equal(
      Array.from(normals).map((value) => value + 0),
      Array.from(normals, (_, i) => (i % 3 === 2 ? z : 0)),
    );
  }
});

test('convex polygons and those that a fan covers keep the fan of their first corner', async () => {
  const pentagon: Point[] = [
    [0, 0, 0],
    [1, 0, 0],
    [2, 1, 0],
    [1, 2, 0],
    [0, 1, 0],
  ];
  for (const [name, text] of Object.entries(written(pentagon))) {
    const mesh = await parseGeometry(textBytes(text), name);
    assert.equal(Array.from(mesh.triangles ?? []), [0, 1, 2, 0, 2, 3, 0, 3, 4], name);
    assert.is(surfaceArea(mesh), 2.5);
  }
});

test('stars, repeated and collinear corners, a bridge to a hole', async () => {
  const star = Array.from({ length: 40 }, (_, i): Point => {
    const [angle, radius] = [(2 * Math.PI * i) / 40, i % 2 ? 2 : 0.5];
    return [radius * Math.cos(angle), 0, radius * Math.sin(angle)];
  });
  const area = 20 * 2 * 0.5 * Math.sin((2 * Math.PI) / 40);
  assert.ok(Math.abs(surfaceArea(await parseGeometry(textBytes(written(star)['a.obj']), 'a.obj')) - area) < 1e-9);
  const doubled = rotated(L, 2).flatMap((point): Point[] => [point, point]);
  assert.ok(Math.abs(surfaceArea(await parseGeometry(textBytes(written(doubled)['a.ply']), 'a.ply')) - 12.4) < 1e-9);
  // A square of 4 x 4 with a hole of 2 x 2, as one polygon that walks to the hole and back.
  const frame: Point[] = [
    [0, 0, 0],
    [4, 0, 0],
    [4, 4, 0],
    [0, 4, 0],
    [0, 0, 0],
    [1, 1, 0],
    [1, 3, 0],
    [3, 3, 0],
    [3, 1, 0],
    [1, 1, 0],
  ];
  assert.ok(Math.abs(surfaceArea(await parseGeometry(textBytes(written(frame)['a.off']), 'a.off')) - 12) < 1e-9);
});

test('a polygon too large to cut is refused', () => {
  const comb = Array.from({ length: 20_000 }, (_, i): Point => [i, i % 2, 0]);
  return rejects(
    () => parseGeometry(textBytes(written([...comb, [20_000, -1, 0], [0, -1, 0]])['a.off']), 'a.off'),
    /a face that is not convex has 20002 corners/,
  );
});

test.run();

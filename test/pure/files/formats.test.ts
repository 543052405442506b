/** Every 3D format, from files that tools/oracle/files.py wrote: all contain the same mesh and the same cloud. */
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseGeometry } from '../../../src/files/formats.ts';
import { type Geometry, longestSide } from '../../../src/files/geometry.ts';
import { readGeometry } from '../../../src/files/read.ts';
import { fileBytes, filePath, surfaceArea, textBytes } from '../../support/files.ts';

const test = suite('formats');

/** A unit square as a quad, a triangle leaning over it, an unused vertex. */
const POSITIONS = [0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0.5, 0.5, 1.25, -7.5, 0.002, 3];
const TRIANGLES = [0, 1, 2, 0, 2, 3, 0, 1, 4];
const AREA = 1 + Math.hypot(0.5, 1.25) / 2;
const CLOUD = Array.from({ length: 40 }, (_, i) => [i / 8, ((i * i) % 11) / 4 - 1, -i / 2]).flat();

const float32 = (values: ArrayLike<number>) => Array.from(Float32Array.from(values));
const corners = ({ positions, triangles }: Geometry) =>
  Array.from(triangles ?? []).flatMap((vertex) => Array.from(positions.subarray(3 * vertex, 3 * vertex + 3)));

for (const name of [
  'plain.off',
  'glued.off',
  'comments.off',
  'colours.off',
  'mesh.obj',
  'ascii.ply',
  'little.ply',
  'big.ply',
]) {
  test(`${name}: positions, triangles, area`, async () => {
    const mesh = await readGeometry(filePath(name));
    assert.equal(float32(mesh.positions), float32(POSITIONS));
    assert.equal(Array.from(mesh.triangles ?? []), TRIANGLES);
    assert.ok(Math.abs(surfaceArea(mesh) - AREA) < 1e-6);
    assert.is(longestSide(mesh), 8.5);
  });
}

for (const name of ['ascii.stl', 'binary.stl']) {
  test(`${name}: three vertices per triangle`, async () => {
    const mesh = await readGeometry(filePath(name));
    assert.is(mesh.positions.length, 27);
    assert.equal(Array.from(mesh.triangles ?? []), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const expected = TRIANGLES.flatMap((vertex) => POSITIONS.slice(3 * vertex, 3 * vertex + 3));
    assert.equal(float32(corners(mesh)), float32(expected));
  });
}

const clouds = ['cloud.obj', 'cloud.ply', 'ascii.pcd', 'binary.pcd', 'compressed.pcd', 'cloud.xyz', 'commas.txt'];
clouds.push('f4.npy', 'f8_big_fortran.npy', 'f2.npy', 'arrays.npz', 'compressed.npz');
for (const name of clouds) {
  test(`${name}: a cloud`, async () => {
    const cloud = await readGeometry(filePath(name));
    assert.is(cloud.triangles, null);
    assert.equal(float32(cloud.positions), float32(CLOUD));
    assert.is(surfaceArea(cloud), 0);
  });
}

test('scene.glb: nodes place their meshes; those outside the scene are left out', async () => {
  const mesh = await readGeometry(filePath('scene.glb'));
  // First node: scaled by 2, rotated by 90 degrees about z, moved by 10 along x. Second: moved by 5 along z, a strip of
  // the six vertices.
  const turned: number[] = [];
  const moved: number[] = [];
  for (let i = 0; i < POSITIONS.length; i += 3) {
    const [x, y, z] = POSITIONS.slice(i, i + 3);
    turned.push(10 - 2 * y, 2 * x, 2 * z);
    moved.push(x, y, z + 5);
  }
  const expected = [...turned, ...moved];
  assert.is(mesh.positions.length, expected.length);
  assert.ok(mesh.positions.every((value, i) => Math.abs(value - expected[i]) < 1e-5));
  const strip = [6, 7, 8, 7, 9, 8, 8, 9, 10, 9, 11, 10];
  assert.equal(Array.from(mesh.triangles ?? []), [...TRIANGLES, ...strip]);
});

test('interleaved.glb: strides and quantised positions', async () => {
  const mesh = await readGeometry(filePath('interleaved.glb'));
  const expected = [...POSITIONS, ...POSITIONS];
  assert.ok(mesh.positions.every((value, i) => Math.abs(value - expected[i]) < 1e-6));
  assert.equal(Array.from(mesh.triangles ?? []), [...TRIANGLES, ...TRIANGLES.map((vertex) => vertex + 6)]);
});

test('line ends of every system, and a byte order mark', async () => {
  const text = '\ufeffOFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n';
  for (const ending of ['\n', '\r\n', '\r']) {
    const mesh = await parseGeometry(textBytes(text.replaceAll('\n', ending)), 'mesh.off');
    assert.is(surfaceArea(mesh), 0.5);
  }
  const ply =
    'ply\rformat binary_little_endian 1.0\relement vertex 1\rproperty uchar x\rproperty uchar y\rproperty uchar z\rend_header\r';
  const cloud = await parseGeometry(Uint8Array.of(...textBytes(ply), 10, 11, 12), 'cloud.ply');
  assert.equal(Array.from(cloud.positions), [10, 11, 12]);
});

test('numbers are rounded as by the language itself', async () => {
  const words = [
    '0.1',
    '-.5',
    '5.',
    '+3',
    '1e-3',
    '123456789012345678901234567890',
    '0.000000000000000000000000001',
    '-0',
  ];
  words.push('3.4028234e38', '1E+05', '179769313486231.57', '4.9e-324');
  const cloud = await parseGeometry(textBytes(words.map((word) => `${word} 0 0`).join('\n')), 'cloud.xyz');
  const read = Array.from(cloud.positions).filter((_, i) => i % 3 === 0);
  assert.equal(read, words.map(Number));
});

test('degenerate faces are read; a surface without area has area 0', async () => {
  const mesh = await parseGeometry(
    textBytes('OFF 3 4 0\n0 0 0\n1 0 0\n2 0 0\n3 0 1 2\n3 1 1 1\n2 0 1\n1 0\n'),
    'flat.off',
  );
  assert.equal(Array.from(mesh.triangles ?? []), [0, 1, 2, 1, 1, 1]);
  assert.is(surfaceArea(mesh), 0);
  const point = await parseGeometry(textBytes('1 2 3\n1 2 3\n'), 'point.xyz');
  assert.is(longestSide(point), 0);
});

test('the extension decides, in any case of letters', async () => {
  const mesh = await parseGeometry(fileBytes('plain.off'), 'FOLDER.ply/MESH.OFF');
  assert.is(mesh.positions.length, 18);
});

test('pages can bundle the parsers: no package but earcut, nothing of Node', async () => {
  const { metafile } = await build({
    entryPoints: ['src/files/index.ts'],
    bundle: true,
    platform: 'browser',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  assert.equal(
    Object.keys(metafile.inputs).filter((path) => !/^(src|node_modules\/earcut)\//.test(path)),
    [],
  );
});

test.run();

/** What other programs write a little differently: numbers, headings, ends of files, names of elements, glTF as JSON. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { upOf } from '../../../src/data/prepare.ts';
import { parseGeometry } from '../../../src/files/formats.ts';
import { readGeometry } from '../../../src/files/read.ts';
import { glb, readFitted, rejects, surfaceArea, textBytes } from '../../support/files.ts';

const test = suite('spellings');

const read = (name: string, text: string) => parseGeometry(textBytes(text), name);
const points = async (name: string, text: string) => Array.from((await read(name, text)).positions);

const PLY = 'ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n';
const ROWS = '0 0 0\n2 0 0\n0 1 0\n';
const CORNERS = [0, 0, 0, 2, 0, 0, 0, 1, 0];

test('zero bytes and the end sign of DOS after the last line', async () => {
  for (const end of ['\0\0\0\0', '\x1a', '\n\x1a\0\0']) {
    assert.equal(await points('a.xyz', `1 2 3\n4 5 6${end}`), [1, 2, 3, 4, 5, 6]);
    assert.equal(await points('a.obj', `v 1 2 3\nv 4 5 6${end}`), [1, 2, 3, 4, 5, 6]);
    assert.equal(await points('a.off', `OFF\n2 0 0\n1 2 3\n4 5 6${end}`), [1, 2, 3, 4, 5, 6]);
    assert.equal(await points('a.ply', `${PLY}end_header\n${ROWS}${end}`), CORNERS);
  }
  // Within a file they are damage.
  await rejects(() => read('a.xyz', '1 2 3\n\0\0\0\0\0\0\n4 5 6\n'), /line 2: expected x of point 1/);
});

test('numbers of Fortran, and gaps as R and spreadsheets write them', async () => {
  assert.equal(await points('a.xyz', '1.5D+02 -2d-1 .5D0\n0,5D1 1 2\n'.replace(',', '.')), [150, -0.2, 0.5, 5, 1, 2]);
  for (const gap of ['NA', 'N/A', 'null', 'NaNQ', 'NaNS']) {
    const { positions, remarks } = await read('a.xyz', `1 2 3\n4 ${gap} 6\n`);
    assert.equal(Array.from(positions), [1, 2, 3], gap);
    assert.equal(remarks, { holes: 1 }, gap);
  }
  await rejects(() => read('a.xyz', '1 2 3\n4 5D 6\n'), /found "5D"/);
});

test('XYZ: headings with units; a comment that names more or fewer columns is prose', async () => {
  const rows = '9 1 2 3 8 7\n9 4 5 6 8 7\n';
  const kept = [1, 2, 3, 4, 5, 6];
  for (const heading of [
    'n X [m] Y [m] Z [m] i j',
    '# n x(mm) y(mm) z(mm) i j',
    '// n X Y Z i j',
    '# made by a scanner\n# move x to y and z\n# n x y z i j',
    'id x y z', // further columns are not declared
  ]) {
    assert.equal(await points('a.xyz', `${heading}\n${rows}`), kept, heading);
  }
  const commas = rows.replaceAll(' ', ',');
  assert.equal(await points('a.txt', `"n","X [m]","Y [m]","Z [m]","a b","c d"\n${commas}`), kept);
  assert.equal(await points('a.txt', `n, X (east), Y (north), Z, i, j\n${commas}`), kept);
  for (const prose of ['# columns: x y z nx ny nz', '# turn x by 90, then y and z', '// a b c x y z']) {
    assert.equal(await points('a.xyz', `${prose}\n1 2 3 0 0 1\n`), prose.startsWith('//') ? [0, 0, 1] : [1, 2, 3]);
  }
});

test('XYZ: what cannot be read in one way only is refused', async () => {
  await rejects(() => read('a.xyz', '0,5, 1,5, 2,5\n'), /line 1: commas stand both within and between numbers/);
  assert.equal(await points('a.xyz', '5, 15, 25\n1, 2, 3\n'), [5, 15, 25, 1, 2, 3]);
  const row = Array.from({ length: 40 }, (_, i) => i).join(' ');
  await rejects(
    () => read('a.xyz', `${row}\n${row}\n${row}\n`),
    /3 lines of 40 or more numbers.*Save one point per line/,
  );
  assert.equal(await points('a.xyz', 'Änderung in mm\n1 2 3\n'), [1, 2, 3]);
});

test('XYZ: quoted columns; a first point is not a heading', async () => {
  for (const text of ['"1","-2.5","3"\n', '"1"\t"-2.5"\t"3"\n', '"x","y","z"\n\'1\',\'-2.5\',\'3\'\n']) {
    assert.equal(await points('a.txt', text), [1, -2.5, 3], text);
  }
  const { positions, remarks } = await read('a.xyz', 'NA NA NA\n1 2 3\n');
  assert.equal([Array.from(positions), remarks], [[1, 2, 3], { holes: 1 }]);
  assert.equal(await points('a.xyz', 'Information Nano Nullpunkt\n1 2 3\n'), [1, 2, 3]);
  await rejects(() => read('a.xyz', '\u22120.5 1 2\n1 2 3\n'), /line 1: expected x of point 0/);
});

test('XYZ: commas between thousands', async () => {
  await rejects(() => read('a.xyz', '1,234.5 2,345.5 3,456.5\n'), /numbers are separated by ",", others by blanks/);
  await rejects(() => read('a.xyz', '1;2 3;4\n'), /numbers are separated by ";", others by blanks/);
  assert.equal(await points('a.xyz', '1, 2, 3, a chair\n'), [1, 2, 3]);
  await rejects(() => read('a.xyz', '1 2 3\n1,234.5 2 3\n'), /line 2: expected x of point 1, found "1,234.5"/);
});

test('PLY and PCD: names of columns in capitals, integers of 64 bits', async () => {
  const ply = PLY.replace('float x', 'float X').replace('float y', 'float Y').replace('float z', 'float Z');
  assert.equal(
    await points('a.ply', `${ply}property uint64 id\nend_header\n${ROWS.replaceAll('\n', ' 7\n')}`),
    CORNERS,
  );
  assert.equal(await points('a.pcd', `FIELDS X Y Z\nWIDTH 3\nDATA ascii\n${ROWS}`), CORNERS);
});

test('STL: a count of none before facets is named', () =>
  rejects(() => parseGeometry(new Uint8Array(84 + 100), 'a.stl'), /says 0 facets, but 2 follow/));

test('a pointer of Git LFS is named, for shapes and pictures', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'romo-lfs-'));
  const write = (name: string) => {
    writeFileSync(join(folder, name), 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n');
    return join(folder, name);
  };
  try {
    await rejects(() => readGeometry(write('a.ply')), /a\.ply: is only a pointer of Git LFS.*git lfs pull/);
    await rejects(() => readFitted(write('a.png'), { size: 8, channels: 3 }), /pointer of Git LFS/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('OFF: the keyword in small letters; normals and colours per vertex, and texture', async () => {
  for (const [keyword, more] of [
    ['off', ''],
    ['COFF', '1 0 0 1'],
    ['NOFF', '0 0 1'],
    ['CNOFF', '0 0 1 255 0 0 255'],
    ['STOFF', '0.5 0.5'],
    ['STCNOFF', '0 0 1 1 0 0 1 0.5 0.5'],
  ]) {
    const rows = ROWS.replaceAll('\n', ` ${more}\n`);
    const mesh = await read('a.off', `${keyword}\n3 1 0\n${rows}3 0 1 2 255 0 0\n`);
    assert.equal(Array.from(mesh.positions), CORNERS, keyword);
    assert.is(surfaceArea(mesh), 1, keyword);
  }
  for (const keyword of ['4OFF', 'nOFF', '4nOFF'])
    await rejects(() => read('a.off', `${keyword}\n3 1 0\n`), /four or more/);
});

test('OBJ: weights and colours after a position, faces before their vertices, points and lines', async () => {
  for (const more of ['', ' 1', ' 0.5 0.5 0.5', ' 1 0.5 0.5 0.5', ' 255 0 0 255']) {
    assert.equal(await points('a.obj', ROWS.replace(/^(?=\d)/gm, 'v ').replaceAll('\n', `${more}\n`)), CORNERS);
  }
  const early = await read('a.obj', `f 1 2 3\n${ROWS.replace(/^(?=\d)/gm, 'v ')}l 1 2\np 1\n`);
  assert.is(surfaceArea(early), 1);
});

test('PLY: faces before vertices, lists among the columns of a vertex', async () => {
  const face = 'element face 1\nproperty list uchar int vertex_indices\n';
  const early = PLY.replace('element', `${face}element`);
  assert.is(surfaceArea(await read('a.ply', `${early}end_header\n3 0 1 2\n${ROWS}`)), 1);
  const listed = PLY.replace('property', 'property list uchar float weights\nproperty');
  const rows = ROWS.replace(/^/gm, '2 0.5 nan ').replace(/2 0.5 nan $/, '');
  assert.equal(await points('a.ply', `${listed}end_header\n${rows}`), CORNERS);
});

test('PLY: range images are clouds, and lines are not polygons', async () => {
  const grid = `${PLY}element range_grid 4\nproperty list uchar int vertex_indices\nend_header\n${ROWS}1 0\n0\n1 1\n1 2\n`;
  const line = `${PLY}element polyline 1\nproperty list uchar int points\nend_header\n${ROWS}3 0 1 2\n`;
  for (const text of [grid, line]) {
    const cloud = await read('a.ply', text);
    assert.is(cloud.triangles, null);
    assert.equal(Array.from(cloud.positions), CORNERS);
  }
});

const BASE64 = Buffer.from(Float32Array.from(CORNERS).buffer).toString('base64');
const document = (uri: string, version = '2.0') => ({
  asset: { version },
  nodes: [{ mesh: 0, scale: [2, 2, 2] }],
  meshes: [{ primitives: [{ attributes: { POSITION: 0 } }] }],
  accessors: [{ bufferView: 0, componentType: 5126, count: 3, type: 'VEC3' }],
  bufferViews: [{ buffer: 0, byteLength: 36 }],
  buffers: [{ byteLength: 36, uri }],
});

test('glTF as JSON with its data inside, y up; data in other files are refused', async () => {
  const inside = document(`data:application/octet-stream;base64,${BASE64}`);
  for (const start of ['', '\ufeff']) {
    const mesh = await read('a.gltf', start + JSON.stringify(inside));
    assert.equal(
      Array.from(mesh.positions),
      CORNERS.map((value) => 2 * value),
    );
    assert.is(surfaceArea(mesh), 4);
  }
  assert.is(upOf('A.GLTF', 'z'), 'y');
  await rejects(() => read('a.gltf', JSON.stringify(document('a.bin'))), /data are stored in another file/);
  await rejects(() => read('a.gltf', JSON.stringify({ ...inside, buffers: [{ byteLength: 36 }] })), /extends beyond/);
  await rejects(() => read('a.gltf', JSON.stringify(document('', '1.0'))), /glTF of version "1.0"/);
  await rejects(() => read('a.gltf', '{"asset":'), /JSON cannot be read/);
  for (const uri of ['data:,abc', 'data:;base64,%%%']) {
    await rejects(() => parseGeometry(glb(document(uri)), 'a.glb'), /data: address of buffer 0 is not base64/);
  }
});

test('glTF: positions as normalised integers', async () => {
  for (const [componentType, array] of [
    [5122, Int16Array.of(32767, 0, -32767, 0, 0, 0, 0, 16384, 0, 0, 0, 0)],
    [5120, Int8Array.of(127, 0, -127, 0, 0, 0, 0, 64, 0, 0, 0, 0)],
    [5123, Uint16Array.of(65535, 0, 0, 0, 0, 0, 0, 32768, 0, 0, 0, 0)],
  ] as const) {
    const binary = new Uint8Array(36);
    // Rows begin at multiples of four bytes.
    const stride = 4 * Math.ceil((3 * array.BYTES_PER_ELEMENT) / 4);
    for (let row = 0; row < 3; row++) {
      binary.set(new Uint8Array(array.slice(3 * row, 3 * row + 3).buffer), row * stride);
    }
    const quantised = {
      ...document(''),
      nodes: [{ mesh: 0 }],
      accessors: [{ bufferView: 0, componentType, normalized: true, count: 3, type: 'VEC3' }],
      bufferViews: [{ buffer: 0, byteLength: 36, byteStride: stride }],
      buffers: [{ byteLength: 36 }],
      extensionsRequired: ['KHR_mesh_quantization'],
    };
    const { positions } = await parseGeometry(glb(quantised, binary), 'a.glb');
    const low = componentType === 5123 ? 0 : -1;
    const expected = [1, 0, low, 0, 0, 0, 0, 0.5, 0];
    assert.ok(
      positions.every((value, i) => Math.abs(value - expected[i]) < 0.01),
      `${componentType}: ${positions}`,
    );
  }
});

test.run();

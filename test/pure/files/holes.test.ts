/** Holes of depth cameras, and coordinates far from the origin: the same cloud from every format. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { prepareCloud } from '../../../src/data/prepare.ts';
import { parseGeometry } from '../../../src/files/formats.ts';
import { cloudOfArray } from '../../../src/files/npy.ts';
import { type Remarks, summarize } from '../../../src/files/remarks.ts';
import { fileBytes, rejects, textBytes } from '../../support/files.ts';

const test = suite('holes');

const NAN = Number.NaN;
const POINTS = [5, 1, 1, NAN, NAN, NAN, 5, 2, 1, 0, 0, 0, 5, 1, 3, -0, 0, 0, 6, 1, Number.POSITIVE_INFINITY];
const KEPT = [5, 1, 1, 5, 2, 1, 5, 1, 3];

/** The points as a file of 64-bit numbers. */
function written(name: string, points: readonly number[]): Uint8Array {
  const count = points.length / 3;
  const rows = Array.from({ length: count }, (_, i) => points.slice(3 * i, 3 * i + 3).join(' '));
  const data = new Uint8Array(Float64Array.from(points).buffer);
  const numpy = `{'descr': '<f8', 'fortran_order': False, 'shape': (${count}, 3), }\n`;
  const columns = ['x', 'y', 'z'].map((axis) => `property double ${axis}\n`).join('');
  const ply = (format: string) => `ply\nformat ${format} 1.0\nelement vertex ${count}\n${columns}end_header\n`;
  const pcd = (mode: string) => `FIELDS x y z\nSIZE 8 8 8\nTYPE F F F\nWIDTH ${count}\nHEIGHT 1\nDATA ${mode}\n`;
  switch (name) {
    case 'a.xyz':
      return textBytes(rows.join('\n'));
    case 'a.off':
      return textBytes(`OFF\n${count} 0 0\n${rows.join('\n')}\n`);
    case 'a.obj':
      return textBytes(rows.map((row) => `v ${row}`).join('\n'));
    case 'text.ply':
      return textBytes(`${ply('ascii')}${rows.join('\n')}`);
    case 'binary.ply':
      return Uint8Array.of(...textBytes(ply('binary_little_endian')), ...data);
    case 'text.pcd':
      return textBytes(`${pcd('ascii')}${rows.join('\n')}`);
    case 'binary.pcd':
      return Uint8Array.of(...textBytes(pcd('binary')), ...data);
    default:
      return Uint8Array.of(0x93, ...textBytes('NUMPY'), 1, 0, numpy.length, 0, ...textBytes(numpy), ...data);
  }
}

const NAMES = ['a.xyz', 'a.off', 'a.obj', 'text.ply', 'binary.ply', 'text.pcd', 'binary.pcd', 'a.npy'];
for (const name of NAMES) {
  test(`${name}: NaN, infinity, and several points at the origin are left out`, async () => {
    const { positions, remarks } = await parseGeometry(written(name, POINTS), name);
    assert.equal(Array.from(positions), KEPT);
    assert.equal(remarks, { holes: 4 });
  });

  test(`${name}: one point at the origin is a point`, async () => {
    const { positions, remarks } = await parseGeometry(written(name, [...KEPT, 0, 0, 0]), name);
    assert.equal(Array.from(positions), [...KEPT, 0, 0, 0]);
    assert.equal(remarks, {});
  });

  test(`${name}: nothing but holes`, () =>
    rejects(() => parseGeometry(written(name, [0, 0, 0, 0, 0, 0, NAN, 1, 1]), name), /all of its 3 points are holes/));

  test(`${name}: map coordinates keep the shape`, async () => {
    const box = Array.from({ length: 192 }, (_, i) => [(i / 3) % 0.6, (i * i) % 0.4, (i % 7) * 0.05][i % 3]);
    const map = box.map((value, i) => value + [458_000, 5_428_000, 212][i % 3]);
    const options = {
      points: 64,
      leastPoints: 1,
      imageSize: 8,
      channels: 1,
      background: 0,
      seed: 1,
      up: 'z',
    } as const;
    // Other coordinates draw another order, so the points are compared sorted.
    const cloud = async (points: readonly number[]) => {
      const made = prepareCloud(await parseGeometry(written(name, points), name), name, options);
      const rows = Array.from({ length: made.length / 3 }, (_, i) => [...made.subarray(3 * i, 3 * i + 3)]);
      const key = (row: number[]) => row.map((value) => Math.round(value * 1e4));
      return rows.sort((a, b) => key(a)[0] - key(b)[0] || key(a)[1] - key(b)[1] || key(a)[2] - key(b)[2]).flat();
    };
    const [near, far] = [await cloud(box), await cloud(map)];
    assert.is(near.length, far.length);
    near.forEach((value, i) => {
      assert.ok(Math.abs(value - far[i]) < 1e-6, `${value}, ${far[i]}`);
    });
  });
}

test('vertices of a mesh: those without numbers are left out unless a face uses them', async () => {
  const text = (face: string) => `OFF\n5 1 0\n0 0 0\nnan nan nan\n0 0 0\n2 0 0\n0 1 0\n3 ${face}\n`;
  const { positions, triangles, remarks } = await parseGeometry(textBytes(text('2 3 4')), 'a.off');
  assert.equal(Array.from(positions), [0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0]);
  assert.equal(Array.from(triangles ?? []), [1, 2, 3]);
  assert.equal(remarks, { holes: 1 });
  await rejects(() => parseGeometry(textBytes(text('1 3 4')), 'a.off'), /vertex 1 .* not a finite/);
});

test('arrays: channels first, and a batch of one', async () => {
  const array = (shape: number[]) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i + 1),
  });
  for (const shape of [
    [3, 20],
    [6, 20],
    [1, 3, 20],
    [1, 1, 9, 10],
  ]) {
    const { positions, remarks } = cloudOfArray(array(shape), 'a.npy');
    const count = shape[shape.length - 1];
    assert.equal(Array.from(positions.subarray(0, 6)), [1, 1 + count, 1 + 2 * count, 2, 2 + count, 2 + 2 * count]);
    assert.is(positions.length, 3 * count);
    assert.equal(remarks, { channelsFirst: 1 });
  }
  for (const shape of [
    [20, 3],
    [20, 30],
    [4, 9],
    [1, 20, 6],
  ]) {
    const { positions, remarks } = cloudOfArray(array(shape), 'a.npy');
    const columns = shape[shape.length - 1];
    assert.equal(Array.from(positions.subarray(0, 6)), [1, 2, 3, columns + 1, columns + 2, columns + 3]);
    assert.equal(remarks, {});
  }
  await rejects(() => cloudOfArray(array([2, 500]), 'a.npy'), /has shape \[2,500\]/);
  await rejects(() => cloudOfArray(array([2, 20, 3]), 'a.npy'), /has shape \[2,20,3\]/);
});

test('binary files of 32 bits', async () => {
  const bytes = fileBytes('binary.pcd');
  const before = await parseGeometry(bytes, 'a.pcd');
  assert.is(before.positions.length, 120);
});

test('a set says once what was done to its files', () => {
  const all: Remarks[] = [{ holes: 30 }, {}, { holes: 7, decimalCommas: 1 }, { decimalCommas: 1, channelsFirst: 1 }];
  assert.equal(summarize(all), [
    '37 holes left out in 2 clouds',
    'decimal commas read in 2 files',
    '1 cloud stored as [3, points] turned to [points, 3]',
  ]);
  assert.equal(summarize([{ holes: 1 }]), ['1 hole left out in 1 cloud']);
  assert.equal(summarize([{}, {}]), []);
});

test.run();

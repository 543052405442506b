/** 3D MNIST's layout in HDF5, written by h5py: plain and compressed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openPointClouds } from '../../../src/files/hdf5.ts';
import { fileBytes, filePath, rejects } from '../../support/files.ts';

const test = suite('hdf5');

for (const name of ['clouds.h5', 'clouds_packed.h5']) {
  test(`${name}: points, normals, picture and label of each object`, async () => {
    const file = await openPointClouds(filePath(name));
    assert.is(file.length, 3);
    for (const index of [2, 0, 1]) {
      const { positions: points } = await file.points(index);
      const expected = Array.from({ length: 20 + index }, (_, i) => [i / 8, ((i * i) % 11) / 4 - 1, -i / 2]).flat();
      assert.equal(
        Array.from(points),
        expected.map((value) => value + index),
      );
      const normals = await file.normals(index);
      assert.is(normals.length, points.length);
      assert.equal(Array.from(normals.subarray(0, 3)), [0, 0, 1]);
      const { height, width, pixels } = await file.image(index);
      assert.equal([height, width], [30, 30]);
      assert.is(pixels.indexOf(0.5), 30 * index + 2 * index);
      assert.is(await file.label(index), 5 - index);
    }
    await rejects(() => file.points(3), /has no object 3\. Ask for 0 to 2/);
    await rejects(() => file.label(-1), /has no object -1/);
    await file.close();
  });
}

test('what the library cannot decode is named, with the way out', async () => {
  const packed = await openPointClouds(filePath('lzf.h5'));
  await rejects(
    () => packed.points(0),
    /"0\/points" is compressed by "lzf" \(filter 32000\), which is not part of HDF5\. Save it with compression="gzip"/,
  );
  await packed.close();
  const folder = mkdtempSync(join(tmpdir(), 'romo-hdf5-'));
  try {
    // float32 as HDF5 describes it, turned into float16; see "Datatype Message" in its file format.
    const [single, half] = ['11201f000400000000002000170800177f000000', '11200f0002000000000010000a05000a0f000000'];
    const bytes = Buffer.from(fileBytes('clouds.h5'));
    let changed = 0;
    for (let at = bytes.indexOf(single, 0, 'hex'); at >= 0; at = bytes.indexOf(single, at + 1, 'hex')) {
      bytes.write(half, at, 'hex');
      changed++;
    }
    assert.ok(changed > 0);
    writeFileSync(join(folder, 'half.h5'), bytes);
    const halves = await openPointClouds(join(folder, 'half.h5'));
    await rejects(() => halves.points(0), /"0\/points" holds float16, which is not read\. Save it as float32/);
    await halves.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('integers of 64 bits, and 64-bit floats in full', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'romo-hdf5-'));
  try {
    const { File, ready } = await import('h5wasm/node');
    await ready;
    const file = new File(join(folder, 'a.h5'), 'w');
    const data = BigInt64Array.of(1n, -2n, 3n, 4n, 5n, 2n ** 40n);
    file.create_group('0').create_dataset({ name: 'points', data, shape: [2, 3], dtype: '<q' });
    const large = Float64Array.of(458_000.25, 5_428_000.125, 1, 458_000.5, 5_428_000.375, 2);
    file.create_group('1').create_dataset({ name: 'points', data: large, shape: [2, 3], dtype: '<d' });
    file.close();
    const clouds = await openPointClouds(join(folder, 'a.h5'));
    assert.equal(Array.from((await clouds.points(0)).positions), [1, -2, 3, 4, 5, 2 ** 40]);
    assert.equal(Array.from((await clouds.points(1)).positions), Array.from(large));
    await clouds.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('other files are refused', async () => {
  await rejects(() => openPointClouds(filePath('other.h5')), /has no group "0", only 1 others \("X_train"\)/);
  await rejects(() => openPointClouds(filePath('rgb.png')), /is not an HDF5 file/);
  await rejects(() => openPointClouds(filePath('none.h5')), /cannot be read: ENOENT/);
  await rejects(() => openPointClouds('test/files'), /is not a file/);
});

test.run();

/** 3D MNIST's layout in HDF5, written by h5py: plain and compressed. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openPointClouds } from '../../../src/files/hdf5.ts';
import { filePath, rejects } from '../../support/files.ts';

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

test('other files are refused', async () => {
  await rejects(() => openPointClouds(filePath('other.h5')), /has no group "0", only 1 others \("X_train"\)/);
  await rejects(() => openPointClouds(filePath('rgb.png')), /is not an HDF5 file/);
  await rejects(() => openPointClouds(filePath('none.h5')), /cannot be read: ENOENT/);
  await rejects(() => openPointClouds('test/files'), /is not a file/);
});

test.run();

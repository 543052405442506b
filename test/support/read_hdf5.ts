/** Reads a file for the tests of damaged HDF5 files. */
import * as assert from 'uvu/assert';
import { openPointClouds } from '../../src/files/hdf5.ts';

/** Reads everything in a file. */
export async function readAll(path: string): Promise<void> {
  const file = await openPointClouds(path);
  try {
    for (let i = 0; i < file.length; i++) {
      const label = await file.label(i);
      const { positions: points } = await file.points(i);
      const { pixels } = await file.image(i);
      assert.ok(Number.isSafeInteger(label) && points.every(Number.isFinite) && pixels.length > 0);
    }
  } finally {
    await file.close();
  }
}

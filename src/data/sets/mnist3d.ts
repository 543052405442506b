/** `mnist3d:DIR`. The folder has one of three forms: HDF5 files, list files, or MNIST's IDX files. Node only. */
import { readdir } from 'node:fs/promises';
import type { FoundSet } from './found.ts';
import { findMnistHdf5 } from './mnist_hdf5.ts';
import { findMnistIdx } from './mnist_idx.ts';
import { findMnistLists, isListFile } from './mnist_lists.ts';

export async function findMnist3d(folder: string): Promise<FoundSet> {
  const names = await readdir(folder).catch((): string[] => []); // findMnistIdx reports the error
  if (names.some((name) => /^(train|test)_point_clouds\.h5$/i.test(name))) return findMnistHdf5(folder, names);
  if (names.some(isListFile)) return findMnistLists(folder);
  return findMnistIdx(folder);
}

/** Opens the reader for a plan. Node only. */
import type { FoundSplit } from './found.ts';
import { openHdf5 } from './mnist_hdf5.ts';
import { openDigits } from './mnist_idx.ts';
import { openMeshes } from './modelnet.ts';
import type { ObjectReader, ReadOptions } from './object.ts';
import { openPictureFiles } from './picture_files.ts';
import { openVoxels } from './voxels.ts';

export function openReader({ plan, ids }: Pick<FoundSplit, 'plan' | 'ids'>, options: ReadOptions): ObjectReader {
  switch (plan.kind) {
    case 'digits':
      return openDigits(plan, options);
    case 'hdf5':
      return openHdf5(plan, options);
    case 'files':
      return openPictureFiles(plan, options);
    case 'meshes':
      return openMeshes(plan, ids, options);
    case 'voxels':
      return openVoxels(plan, ids, options);
  }
}

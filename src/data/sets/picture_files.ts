/** Reads objects that consist of a picture file and a 3D file. Node only. */
import { readGeometry } from '../../files/read.ts';
import { prepareCloud } from '../prepare.ts';
import type { ObjectReader, ReadOptions } from './object.ts';
import { preparePicture } from './prepare_picture.ts';

/** Paths of an object's files. */
export interface PictureFile {
  readonly image: string;
  /** of the picture's size; black is background */
  readonly mask?: string;
  readonly geometry: string;
}

export interface FilesPlan {
  readonly kind: 'files';
  readonly items: readonly PictureFile[];
}

export function openPictureFiles({ items }: FilesPlan, options: ReadOptions): ObjectReader {
  return {
    async read(index) {
      const { image, mask, geometry: path } = items[index];
      const { pixels, width, height } = await preparePicture(image, mask, options);
      const geometry = await readGeometry(path);
      const origin = {
        points: geometry.positions.length / 3,
        triangles: (geometry.triangles?.length ?? 0) / 3,
        width,
        height,
        remarks: geometry.remarks,
      };
      return { views: [pixels], cloud: prepareCloud(geometry, path, options), origin };
    },
    async close() {},
  };
}

/** Reads objects that consist of a picture file and a 3D file. Node only. */

import { badFile } from '../../files/errors.ts';
import { imageSizeOf, readImage, readMaskedImage } from '../../files/image.ts';
import { readGeometry } from '../../files/read.ts';
import { Random } from '../../tensor/random.ts';
import { cloudFromGeometry, type ObjectReader, type ReadOptions, storedPicture } from './object.ts';

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
  /** grey value of the background, 0..1, as in the set's own pictures */
  readonly background: number;
}

export function openPictureFiles(
  { items, background }: FilesPlan,
  ids: readonly string[],
  options: ReadOptions,
): ObjectReader {
  return {
    async read(index) {
      const { image: path, mask, geometry: geometryPath } = items[index];
      const { width, height } = await imageSizeOf(path);
      if (width < 2 || height < 2) {
        throw badFile(path, `has ${width} x ${height} pixels, which is too small`, 'Give a larger picture.');
      }
      const imageOptions = { size: options.imageSize, channels: options.channels, background };
      const image = mask ? await readMaskedImage(path, mask, imageOptions) : await readImage(path, imageOptions);
      const geometry = await readGeometry(geometryPath);
      const random = new Random(options.seed, 'cloud', ids[index]);
      return {
        views: [storedPicture(image, options, { width, height }, path)],
        cloud: cloudFromGeometry(geometry, options, random, geometryPath),
        origin: {
          points: geometry.positions.length / 3,
          triangles: (geometry.triangles?.length ?? 0) / 3,
          width,
          height,
          remarks: geometry.remarks,
        },
      };
    },
    async close() {},
  };
}

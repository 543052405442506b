/** Prepares picture files: the part of prepare.ts that needs Node. */
import { badFile } from '../../files/errors.ts';
import { imageSizeOf, readImage, readMaskedImage } from '../../files/image.ts';
import { toBytes } from '../../files/pixels.ts';
import type { Preparation } from '../prepare.ts';

export interface PreparedPicture {
  /** [imageSize, imageSize, channels] */
  readonly pixels: Uint8Array;
  /** of the file, in pixels */
  readonly width: number;
  readonly height: number;
}

/**
 * A picture file as a network sees it, in bytes: upright, scaled to fit, centred on the background.
 * @param mask a picture of the same size, black outside the object; undefined for none
 * @throws RomoError `file` if one of them cannot be read
 */
export async function preparePicture(
  path: string,
  mask: string | undefined,
  { imageSize, channels, background }: Pick<Preparation, 'imageSize' | 'channels' | 'background'>,
): Promise<PreparedPicture> {
  const { width, height } = await imageSizeOf(path);
  if (width < 2 || height < 2) {
    throw badFile(path, `has ${width} x ${height} pixels, which is too small`, 'Give a larger picture.');
  }
  const options = { size: imageSize, channels, background };
  const image = mask ? await readMaskedImage(path, mask, options) : await readImage(path, options);
  return { pixels: toBytes(image), width, height };
}

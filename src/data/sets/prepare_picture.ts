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
  return { pixels: storedPicture(image, { imageSize, channels }, { width, height }, path), width, height };
}

/** Largest difference between the pixels of a picture that shows nothing, of 255. JPEG and scaling round by this much. */
const BLANK = 2;

/**
 * A picture for the cache.
 * @param image [size, size, channels], 0..1, the picture scaled to fit and centred
 * @param original width and height of the picture, which determine its margins
 * @throws RomoError `file` if all its pixels have the same colour: there is nothing to see
 */
export function storedPicture(
  image: Float32Array,
  { imageSize: size, channels }: Pick<Preparation, 'imageSize' | 'channels'>,
  { width, height }: { readonly width: number; readonly height: number },
  name: string,
): Uint8Array {
  const pixels = toBytes(image);
  // The margins, and the pixels that are mixed with them, do not count.
  const [columns, rows] = [width, height].map((length) => {
    const inside = Math.max(1, Math.floor((size * length) / Math.max(width, height)));
    const begin = Math.floor((size - inside) / 2);
    return inside > 4 && inside < size ? [begin + 1, begin + inside - 1] : [begin, begin + inside];
  });
  for (let channel = 0; channel < channels; channel++) {
    let [low, high] = [255, 0];
    for (let row = rows[0]; row < rows[1]; row++) {
      for (let column = columns[0]; column < columns[1]; column++) {
        const value = pixels[(row * size + column) * channels + channel];
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    if (high - low > BLANK) return pixels;
  }
  throw badFile(name, 'shows nothing: all its pixels have the same colour', 'Render or export the picture again.');
}

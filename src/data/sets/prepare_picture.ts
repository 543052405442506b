/** Prepares picture files: the part of prepare.ts that needs Node. */
import { badFile } from '../../files/errors.ts';
import { readImage, readMaskedImage } from '../../files/image.ts';
import { toBytes } from '../../files/pixels.ts';
import { type Preparation, prepareImage } from '../prepare.ts';

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
  const { data, width, height } = mask
    ? await readMaskedImage(path, mask, background)
    : await readImage(path, background);
  if (width < 2 || height < 2) {
    throw badFile(path, `has ${width} x ${height} pixels, which is too small`, 'Give a larger picture.');
  }
  checkShows(data, 3, path);
  const image = prepareImage(data, [height, width, 3], { imageSize, channels, background });
  return { pixels: toBytes(image), width, height };
}

/** Largest difference between the pixels of a picture that shows nothing, of 255. JPEG rounds by this much. */
const BLANK = 2;

/**
 * @param pixels [..., channels]
 * @throws RomoError `file` if all pixels have the same colour: there is nothing to see
 */
export function checkShows(pixels: Uint8Array, channels: number, name: string): void {
  for (let channel = 0; channel < channels; channel++) {
    let [low, high] = [255, 0];
    for (let at = channel; at < pixels.length; at += channels) {
      low = Math.min(low, pixels[at]);
      high = Math.max(high, pixels[at]);
    }
    if (high - low > BLANK) return;
  }
  throw badFile(name, 'shows nothing: all its pixels have the same colour', 'Render or export the picture again.');
}

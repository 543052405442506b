/** Reads PNG, JPEG and WebP files of every bit depth and colour space. Node only. */
import type { Sharp } from 'sharp';
import { badFile } from './errors.ts';
import { mendedJpeg } from './jpeg.ts';
import { readBytes } from './read.ts';

/** A decoded picture. */
export interface Picture {
  /** [height, width, 3], red, green, blue (sRGB) */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Decoding takes 4 bytes per pixel, so 256 MiB. A file of a few kilobytes may claim billions of pixels. */
const MOST_PIXELS = 2 ** 26;

/**
 * Decodes a picture, upright by its EXIF tag; of an animation the first frame.
 * @param background grey value, 0..1, behind transparency
 * @throws RomoError `file` if the format is another one, the file is damaged, or it has more than 67 million pixels
 */
export async function readImage(path: string, background = 1): Promise<Picture> {
  return pixelsOf(await open(path, background), path);
}

/**
 * Reads a picture and sets pixels outside its mask to background, for RGB-D Object's `_crop.png` and `_maskcrop.png`.
 * @param maskPath a picture of the same size, black outside the object
 * @throws RomoError `file` as readImage, and if the sizes differ or the mask is all black
 */
export async function readMaskedImage(path: string, maskPath: string, background = 1): Promise<Picture> {
  const picture = await readImage(path, background);
  const mask = await readImage(maskPath, 0);
  const { width, height } = picture;
  if (mask.width !== width || mask.height !== height) {
    throw badFile(maskPath, `the mask is ${mask.width} x ${mask.height}, its picture ${path} is ${width} x ${height}`);
  }
  let inside = 0;
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = 3 * pixel;
    if (mask.data[at] + mask.data[at + 1] + mask.data[at + 2] > 0) inside++;
    else picture.data.fill(greyOf(background), at, at + 3);
  }
  if (inside === 0) throw badFile(maskPath, 'the mask is black everywhere, so nothing of the picture remains');
  return picture;
}

const greyOf = (background: number): number => Math.floor(Math.min(Math.max(background, 0), 1) * 255 + 0.5);

/** A picture ready for decoding, upright and without transparency. */
async function open(path: string, background: number): Promise<Sharp> {
  const grey = greyOf(background);
  const bytes = mendedJpeg(await readBytes(path));
  // sharp reads a dozen formats, among them SVG, which can reference other files. Only these three may reach it.
  const start = String.fromCharCode(...bytes.subarray(0, 12));
  if (!/^(\x89PNG\r\n|\xff\xd8\xff|RIFF[\s\S]{4}WEBP)/.test(start)) {
    throw badFile(path, bytes.length === 0 ? 'is empty' : 'is not a PNG, JPEG or WebP file', 'Save it as PNG.');
  }
  const { default: sharp } = await import('sharp').catch((cause: Error) => {
    throw badFile(path, `the package sharp cannot be loaded: ${cause.message.split('\n')[0]}`, 'Run npm install.');
  });
  const limits = { limitInputPixels: MOST_PIXELS, failOn: 'warning', pages: 1 } as const;
  return sharp(bytes, limits)
    .autoOrient()
    .flatten({ background: { r: grey, g: grey, b: grey } })
    .timeout({ seconds: 60 });
}

async function pixelsOf(image: Sharp, path: string): Promise<Picture> {
  try {
    const raw = image.toColourspace('srgb').raw({ depth: 'uchar' });
    const { data, info } = await raw.toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`it has ${info.channels} channels`);
    return { data, width: info.width, height: info.height };
  } catch (cause) {
    throw notDecoded(path, cause);
  }
}

function notDecoded(path: string, cause: unknown): Error {
  const reason = (cause as Error).message.split('\n')[0];
  const fix = reason.includes('pixel limit') ? `Scale it down to at most ${MOST_PIXELS} pixels.` : undefined;
  return badFile(path, `cannot be decoded: ${reason}`, fix);
}

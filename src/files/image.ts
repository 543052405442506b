/** Reads PNG, JPEG and WebP files of every bit depth and colour space. Node only. */
import type { Sharp } from 'sharp';
import { badFile } from './errors.ts';
import { mendedJpeg } from './jpeg.ts';
import { fromBytes } from './pixels.ts';
import { readBytes } from './read.ts';

export interface ImageOptions {
  /** Height and width of the result in pixels. The whole picture is scaled to fit and centred, never cropped. */
  readonly size: number;
  /** 3: red, green, blue (sRGB); 1: luma, 0.299 R + 0.587 G + 0.114 B */
  readonly channels: 1 | 3;
  /** Grey value, 0..1, of the margins around non-square pictures and behind transparency. Default 1, white. */
  readonly background?: number;
}

/** Decoding takes 4 bytes per pixel, so 256 MiB. A file of a few kilobytes may claim billions of pixels. */
const MOST_PIXELS = 2 ** 26;

/**
 * @returns [size, size, channels], 0..1, upright by its EXIF tag; the first frame of an animation
 * @throws RomoError `file` if the format is another one, the file is damaged, or it has more than 67 million pixels
 */
export async function readImage(path: string, options: ImageOptions): Promise<Float32Array> {
  return finish(await open(path, options), options, path);
}

/**
 * Width and height in pixels after EXIF rotation, from the header alone.
 * @throws RomoError `file` as readImage, for errors that the header shows
 */
export async function imageSizeOf(path: string): Promise<{ width: number; height: number }> {
  const image = await open(path, { size: 1, channels: 3 });
  try {
    const { autoOrient } = await image.metadata();
    return { width: autoOrient.width, height: autoOrient.height };
  } catch (cause) {
    throw notDecoded(path, cause);
  }
}

/**
 * Reads a picture and sets pixels outside its mask to background, for RGB-D Object's `_crop.png` and `_maskcrop.png`.
 * @param maskPath a picture of the same size, black outside the object
 * @returns [size, size, channels], 0..1
 * @throws RomoError `file` as readImage, and if the sizes differ or the mask is all black
 */
export async function readMaskedImage(path: string, maskPath: string, options: ImageOptions): Promise<Float32Array> {
  const picture = await pixelsOf(await open(path, options), path);
  const mask = await pixelsOf(await open(maskPath, { ...options, background: 0 }), maskPath);
  const { width, height } = picture;
  if (mask.width !== width || mask.height !== height) {
    throw badFile(maskPath, `the mask is ${mask.width} x ${mask.height}, its picture ${path} is ${width} x ${height}`);
  }
  let inside = 0;
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = 3 * pixel;
    if (mask.data[at] + mask.data[at + 1] + mask.data[at + 2] > 0) inside++;
    else picture.data.fill(greyOf(options), at, at + 3);
  }
  if (inside === 0) throw badFile(maskPath, 'the mask is black everywhere, so nothing of the picture remains');
  const { default: sharp } = await import('sharp');
  const masked = sharp(picture.data, { raw: { width, height, channels: 3 } });
  return finish(masked, options, path);
}

function greyOf({ background = 1 }: ImageOptions): number {
  return Math.floor(Math.min(Math.max(background, 0), 1) * 255 + 0.5);
}

function greyBackground(options: ImageOptions): { r: number; g: number; b: number } {
  const grey = greyOf(options);
  return { r: grey, g: grey, b: grey };
}

/** A picture ready for decoding, upright and without transparency. */
async function open(path: string, options: ImageOptions): Promise<Sharp> {
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
    .flatten({ background: greyBackground(options) })
    .timeout({ seconds: 60 });
}

/** data: [height, width, 3] */
async function pixelsOf(image: Sharp, path: string): Promise<{ data: Uint8Array; width: number; height: number }> {
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

async function finish(image: Sharp, options: ImageOptions, path: string): Promise<Float32Array> {
  const { size, channels } = options;
  const fitted = image.resize({
    width: size,
    height: size,
    fit: 'contain',
    background: greyBackground(options),
    kernel: 'linear', // no overshoot at edges, like resizeImage in ../data/resize.ts
  });
  const { data } = await pixelsOf(fitted, path);
  if (channels === 3) return fromBytes(data);
  const luma = new Float32Array(size * size);
  for (let i = 0; i < luma.length; i++) {
    luma[i] = (0.299 * data[3 * i] + 0.587 * data[3 * i + 1] + 0.114 * data[3 * i + 2]) / 255;
  }
  return luma;
}

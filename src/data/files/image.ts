/** Pictures from files. Node only. */
import { badFile } from './errors.ts';

export interface ImageOptions {
  /** Height and width of the result in pixels; the picture is fitted into it whole, the rest is background. */
  readonly size: number;
  /** 3: red, green, blue; 1: luma */
  readonly channels: 1 | 3;
  /** Grey value, 0..1, of the background: round a picture that is not square, behind transparent pixels. Default 1, white. */
  readonly background?: number;
}

/** @returns [size, size, channels], 0..1 */
export async function readImage(path: string, _options: ImageOptions): Promise<Float32Array> {
  throw badFile(path, 'pictures are not read yet', '');
}

/**
 * A picture whose pixels outside its mask become background, for RGB-D Object's `*_crop.png` and `*_maskcrop.png`.
 * @returns [size, size, channels], 0..1
 */
export async function readMaskedImage(path: string, _maskPath: string, _options: ImageOptions): Promise<Float32Array> {
  throw badFile(path, 'pictures are not read yet', '');
}

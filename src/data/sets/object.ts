/** Objects as the readers of all data sets return them, and the checks that every cloud and picture must pass. */

import { badFile } from '../../files/errors.ts';
import { type Geometry, longestSide } from '../../files/geometry.ts';
import { toBytes } from '../../files/pixels.ts';
import type { Remarks } from '../../files/remarks.ts';
import type { Random } from '../../tensor/random.ts';
import { normalizeCloud } from '../normalize.ts';
import { samplePoints } from '../shapes/sampling.ts';
import { surfaceOf } from '../shapes/surface.ts';
import { subsampleCloud } from '../subsample.ts';

/** An object as it is cached. */
export interface StoredObject {
  /** one picture or several, each [H, W, C] in bytes */
  readonly views: readonly Uint8Array[];
  /** [P, 3], normalised, in random order */
  readonly cloud: Float32Array;
  readonly origin: Origin;
}

/** Properties of an object in its files. */
export interface Origin {
  /** points, or vertices of a mesh */
  readonly points: number;
  readonly triangles: number;
  /** of the picture, in pixels; 0 if rendered */
  readonly width: number;
  readonly height: number;
  /** what the readers left out or changed */
  readonly remarks?: Remarks;
}

/** Sizes of the objects, and options of the readers. */
export interface ReadOptions {
  readonly imageSize: number;
  readonly channels: 1 | 3;
  /** points that a network takes */
  readonly points: number;
  /** clouds with fewer points are rejected, since DGCNN's graphs need k neighbours */
  readonly leastPoints: number;
  readonly seed: number;
  /** rendered pictures per object */
  readonly views: number;
  /** folder in which rendered pictures and sampled clouds are kept between runs; null for none */
  readonly cacheFolder: string | null;
}

/** Reads the objects of one split. */
export interface ObjectReader {
  /**
   * @param index in the split's plan
   * @throws RomoError `file` with the file and the problem
   */
  read(index: number): Promise<StoredObject>;
  close(): Promise<void>;
}

/** Points to keep per cloud: twice what a network takes, so that random draws differ from epoch to epoch. */
export const keptPoints = (points: number): number => Math.max(1024, 2 * points);

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
  { imageSize: size, channels }: Pick<ReadOptions, 'imageSize' | 'channels'>,
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

/** A cloud of fewer points has no shape. */
const LEAST_POINTS = 4;

/**
 * Normalises a cloud for the cache.
 * @param positions [P, 3], in the file's scale
 * @throws RomoError `file` if there are too few points or they all coincide
 */
export function storedCloud(
  positions: Float64Array,
  { points, leastPoints }: ReadOptions,
  random: Random,
  name: string,
): Float32Array {
  const count = positions.length / 3;
  if (count < Math.max(leastPoints, LEAST_POINTS)) {
    const fix =
      leastPoints > LEAST_POINTS ? 'Give a denser cloud, or lower --k-ssm and --k-rdl.' : 'Give a denser cloud.';
    throw badFile(name, `has ${count} points, fewer than ${Math.max(leastPoints, LEAST_POINTS)}`, fix);
  }
  if (longestSide({ positions }) === 0) {
    throw badFile(name, `its ${count} points all coincide`, 'Export the cloud again.');
  }
  return subsampleCloud(normalizeCloud(positions), keptPoints(points), random);
}

/** Reads a cloud from any 3D file: meshes are sampled uniformly over their surface, clouds are subsampled. */
export function cloudFromGeometry(
  geometry: Geometry,
  options: ReadOptions,
  random: Random,
  name: string,
): Float32Array {
  if (!geometry.triangles) return storedCloud(geometry.positions, options, random, name);
  return samplePoints(surfaceOf(geometry, name), keptPoints(options.points), random);
}

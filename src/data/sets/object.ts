/** Objects as the readers of all data sets return them, and the checks that every cloud and picture must pass. */

import { badFile } from '../../files/errors.ts';
import { type Geometry, longestSide } from '../../files/geometry.ts';
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
  if (count < leastPoints) {
    throw badFile(
      name,
      `has ${count} points, fewer than ${leastPoints}`,
      'Give a denser cloud, or lower --k-ssm and --k-rdl.',
    );
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

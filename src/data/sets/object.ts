/** What the readers of all data sets give for an object, and the checks that every cloud and picture must pass. */

import { badFile } from '../../files/errors.ts';
import { type Geometry, longestSide } from '../../files/geometry.ts';
import type { Random } from '../../tensor/random.ts';
import { normalizeCloud } from '../normalize.ts';
import { samplePoints } from '../shapes/sampling.ts';
import { surfaceOf } from '../shapes/surface.ts';
import { subsampleCloud } from '../subsample.ts';

/** An object as it is kept between uses. */
export interface StoredObject {
  /** one picture or several, each [H, W, C] in bytes */
  readonly views: readonly Uint8Array[];
  /** [P, 3], normalised, in random order */
  readonly cloud: Float32Array;
  readonly origin: Origin;
}

/** What the object was in its files. */
export interface Origin {
  /** points, or vertices of a mesh */
  readonly points: number;
  readonly triangles: number;
  /** of the picture, in pixels; 0 where it is rendered */
  readonly width: number;
  readonly height: number;
}

/** Sizes that readers make objects in. */
export interface ReadOptions {
  readonly imageSize: number;
  readonly channels: 1 | 3;
  /** points that a network takes */
  readonly points: number;
  /** clouds of fewer points are refused: DGCNN's graphs need k neighbours */
  readonly leastPoints: number;
  readonly seed: number;
  /** rendered pictures per object */
  readonly views: number;
  /** where rendered pictures and sampled clouds are kept between runs; null: nowhere */
  readonly cacheFolder: string | null;
}

/** Reads the objects of one split. */
export interface ObjectReader {
  /**
   * @param index in the split's plan
   * @throws RomoError `file` naming the file and what is wrong with it
   */
  read(index: number): Promise<StoredObject>;
  close(): Promise<void>;
}

/** How many points are kept of a cloud: twice what a network takes, so that draws of them differ from epoch to epoch. */
export const keptPoints = (points: number): number => Math.max(1024, 2 * points);

/**
 * A cloud as it is kept.
 * @param positions [P, 3], as in the file
 * @throws RomoError `file` where there are too few points or all are in one place
 */
export function storedCloud(
  positions: Float32Array,
  { points, leastPoints }: ReadOptions,
  random: Random,
  name: string,
): Float32Array {
  const count = positions.length / 3;
  if (count < leastPoints) {
    throw badFile(
      name,
      `has ${count} points, fewer than ${leastPoints}`,
      'Give a denser cloud, or lower --k-ssm, --k-rdl.',
    );
  }
  if (longestSide({ positions, triangles: null }) === 0) {
    throw badFile(name, `its ${count} points are all in one place`, 'Export the cloud again.');
  }
  return subsampleCloud(normalizeCloud(positions), keptPoints(points), random);
}

/** A cloud from any 3D file: a mesh is sampled uniformly over its surface, a cloud is subsampled. */
export function cloudFromGeometry(
  geometry: Geometry,
  options: ReadOptions,
  random: Random,
  name: string,
): Float32Array {
  if (!geometry.triangles) return storedCloud(geometry.positions, options, random, name);
  return samplePoints(surfaceOf(geometry, name), keptPoints(options.points), random);
}

/** How training sees an object: augmented with random numbers that depend on (seed, stage, epoch, object). */
import { Random } from '../tensor/random.ts';
import { augmentCloud, augmentImage } from './augment.ts';
import type { Sample, Showing } from './types.ts';

/**
 * @param index of the object in its split
 * @returns new arrays: image [H, W, C], cloud [points, 3]
 */
export function shown(
  { image, cloud }: Sample,
  index: number,
  imageShape: readonly [number, number, number],
  showing: Showing,
): Sample {
  const { seed, stage, epoch, strength, mirror, rotation, points } = showing;
  const result = { image: new Float32Array(image.length), cloud: new Float32Array(3 * points) };
  augmentImage(image, imageShape, strength, mirror, new Random(seed, stage, 'image', epoch, index), result.image);
  augmentCloud(cloud, showing, strength, rotation, new Random(seed, stage, 'cloud', epoch, index), result.cloud);
  return result;
}

/** The number of the picture to show, drawn by the same rule. */
export function shownView(views: number, index: number, { seed, stage, epoch }: Showing): number {
  return views === 1 ? 0 : new Random(seed, stage, 'view', epoch, index).integer(views);
}

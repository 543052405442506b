/** Subsamples of a point cloud, random or evenly spaced. */
import type { Random } from '../tensor/random.ts';

/**
 * Draws `count` of `total` indices in random order: without replacement if there are enough, otherwise all of them plus
 * draws with replacement.
 */
export function drawIndices(total: number, count: number, random: Random): Uint32Array {
  const order = new Uint32Array(total);
  for (let index = 0; index < total; index++) order[index] = index;
  const drawn = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    if (i >= total) {
      drawn[i] = random.integer(total);
      continue;
    }
    // The first steps of a Fisher-Yates shuffle.
    const other = i + random.integer(total - i);
    drawn[i] = order[other];
    order[other] = order[i];
  }
  return drawn;
}

/**
 * Draws up to `count` points of a cloud [P, 3] without replacement, in random order.
 * @returns [min(P, count), 3]
 */
export function subsampleCloud(cloud: Float32Array, count: number, random: Random): Float32Array {
  const total = cloud.length / 3;
  const indices = drawIndices(total, Math.min(total, count), random);
  const result = new Float32Array(3 * indices.length);
  for (let i = 0; i < indices.length; i++) {
    for (let axis = 0; axis < 3; axis++) result[3 * i + axis] = cloud[3 * indices[i] + axis];
  }
  return result;
}

/**
 * Picks `count` points of a cloud [P, 3] at even steps; a short cloud repeats. The subsample is unbiased if the cloud
 * is in random order.
 * @returns out [count, 3]
 */
export function evenCloud(
  cloud: Float32Array,
  count: number,
  out: Float32Array = new Float32Array(3 * count),
): Float32Array {
  const total = cloud.length / 3;
  for (let i = 0; i < count; i++) {
    const source = 3 * Math.floor((i * total) / count);
    for (let axis = 0; axis < 3; axis++) out[3 * i + axis] = cloud[source + axis];
  }
  return out;
}

/** Subsamples of a point cloud. */
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

/** How the points that a network takes are chosen from a cloud. */
export interface Sampling {
  readonly points: number;
  /**
   * random: every point is as likely as any other. farthest: each next point is the one farthest from those chosen so far,
   * so that few points cover the whole shape. Default random.
   */
  readonly sampling?: 'random' | 'farthest' | undefined;
}

const CANDIDATES = 4; // per point, of which the farthest are chosen

/**
 * The points of a cloud [P, 3] that a network takes; a short cloud repeats.
 * @param random draws others each time; without it they are always the same, and unbiased if the cloud is in random order
 * @returns out [points, 3]
 */
export function sampleCloud(
  cloud: Float32Array,
  { points, sampling }: Sampling,
  random?: Random,
  out: Float32Array = new Float32Array(3 * points),
): Float32Array {
  const total = cloud.length / 3;
  const choose = (count: number) => (random ? drawIndices(total, count, random) : evenIndices(total, count));
  const indices =
    sampling === 'farthest' && total > points
      ? farthestIndices(cloud, choose(Math.min(total, CANDIDATES * points)), points)
      : choose(points);
  for (let i = 0; i < points; i++) {
    for (let axis = 0; axis < 3; axis++) out[3 * i + axis] = cloud[3 * indices[i] + axis];
  }
  return out;
}

/** `count` of `total` indices at even steps; of too few, some repeat. */
const evenIndices = (total: number, count: number): Uint32Array =>
  Uint32Array.from({ length: count }, (_, i) => Math.floor((i * total) / count));

/**
 * Farthest point sampling: the first candidate, then each time the one whose nearest chosen point is farthest away; of equal
 * ones the first. Cost: count times candidates. Source: Eldar et al. 1997; for networks, PointNet++ (Qi et al. 2017).
 * @param cloud [P, 3]
 * @param candidates indices of points, at least `count`
 */
export function farthestIndices(cloud: Float32Array, candidates: Uint32Array, count: number): Uint32Array {
  const size = candidates.length;
  const [x, y, z] = [0, 1, 2].map((axis) => Float64Array.from(candidates, (index) => cloud[3 * index + axis]));
  const nearest = new Float64Array(size).fill(Number.POSITIVE_INFINITY); // squared distance to the chosen
  const chosen = new Uint32Array(count);
  let next = 0;
  for (let i = 0; i < count; i++) {
    chosen[i] = candidates[next];
    const lastX = x[next];
    const lastY = y[next];
    const lastZ = z[next];
    let farthest = -1;
    for (let other = 0; other < size; other++) {
      const dx = x[other] - lastX;
      const dy = y[other] - lastY;
      const dz = z[other] - lastZ;
      const squared = dx * dx + dy * dy + dz * dz;
      if (squared < nearest[other]) nearest[other] = squared;
      if (nearest[other] > farthest) {
        farthest = nearest[other];
        next = other;
      }
    }
  }
  return chosen;
}

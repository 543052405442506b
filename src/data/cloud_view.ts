/** Views of clouds: the camera geometry that all drawings of clouds share. */
import type { CloudRotation } from './types.ts';

/** Directions of a view as unit vectors: right, up, towards the eye. */
export interface CloudView {
  readonly right: readonly number[];
  readonly up: readonly number[];
  readonly eye: readonly number[];
}

/**
 * The directions of a view from the position of the eye.
 * @param azimuth of the eye about the vertical axis, in radians
 * @param elevation of the eye above the horizon, in radians
 * @param axes the axes of the cloud that serve as x, y and z (vertical)
 */
export function viewFrom(azimuth: number, elevation: number, axes: readonly number[] = [0, 1, 2]): CloudView {
  const [c, s] = [Math.cos(azimuth), Math.sin(azimuth)];
  const [level, rise] = [Math.cos(elevation), Math.sin(elevation)];
  const placed = (vector: readonly number[]) => {
    const out = [0, 0, 0];
    axes.forEach((axis, i) => {
      out[axis] = vector[i];
    });
    return out;
  };
  return {
    right: placed([-s, c, 0]),
    up: placed([-rise * c, -rise * s, level]),
    eye: placed([level * c, level * s, rise]),
  };
}

/**
 * Chooses a view for a data set. If `maxDegrees` is at least 90, the rotation axis is vertical and the view is from
 * slightly above. Otherwise the object is a relief (a digit), seen along the rotation axis, slightly from the side.
 */
export function viewOf({ axis, maxDegrees }: CloudRotation): CloudView {
  const [next, last] = [(axis + 1) % 3, (axis + 2) % 3];
  return maxDegrees >= 90 ? viewFrom(-0.93, 0.45, [next, last, axis]) : viewFrom(0.36, 0, [axis, next, last]);
}

/** Converts a cloud [P, 3] to view coordinates [P, 3]: right, up, towards the eye. */
export function seen(cloud: Float32Array, { right, up, eye }: CloudView): Float32Array {
  const out = new Float32Array(cloud.length);
  for (let at = 0; at < cloud.length; at += 3) {
    [right, up, eye].forEach((axis, i) => {
      out[at + i] = cloud[at] * axis[0] + cloud[at + 1] * axis[1] + cloud[at + 2] * axis[2];
    });
  }
  return out;
}

const DOT = 2; // pixels

/**
 * Depth picture of a cloud [P, 3] around the origin. Each point is a dot of 2 x 2 pixels; the nearest to the eye wins.
 * @param scale pixels per unit
 * @returns [side, side], the coordinate towards the eye of the nearest point; -Infinity where there is none
 */
export function nearest(cloud: Float32Array, view: CloudView, side: number, scale: number): Float32Array {
  const out = new Float32Array(side * side).fill(Number.NEGATIVE_INFINITY);
  const points = seen(cloud, view);
  for (let at = 0; at < points.length; at += 3) {
    const column = Math.floor(side / 2 + scale * points[at]);
    const row = Math.floor(side / 2 - scale * points[at + 1]);
    for (let y = Math.max(0, row); y < Math.min(side, row + DOT); y++) {
      for (let x = Math.max(0, column); x < Math.min(side, column + DOT); x++) {
        out[y * side + x] = Math.max(out[y * side + x], points[at + 2]);
      }
    }
  }
  return out;
}

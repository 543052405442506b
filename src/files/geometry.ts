/** Meshes and clouds from files. */
import type { Remarks } from './remarks.ts';

/** A mesh or a cloud, as the readers of 3D files return it. */
export interface Geometry {
  /**
   * [V, 3], finite, in the file's own scale and orientation. In 64 bits: in map coordinates, 32 bits leave steps of half
   * a metre. Centre before converting to 32 bits.
   */
  readonly positions: Float64Array;
  /** [F, 3], vertex indices, all in range; null for clouds. Faces may have zero area. */
  readonly triangles: Uint32Array | null;
  /** What the reader left out or changed. */
  readonly remarks: Remarks;
}

/** Longest side of the bounding box. It is 0 if all points coincide; such an object cannot be normalised. */
export function longestSide({ positions }: Pick<Geometry, 'positions'>): number {
  const low = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const high = low.map((value) => -value);
  for (let i = 0; i < positions.length; i++) {
    low[i % 3] = Math.min(low[i % 3], positions[i]);
    high[i % 3] = Math.max(high[i % 3], positions[i]);
  }
  return Math.max(...high.map((value, axis) => value - low[axis]));
}

/** What every reader of 3D files returns. */
export interface Geometry {
  /** [V, 3], finite; as in the file: neither scaled nor rotated */
  readonly positions: Float32Array;
  /** [F, 3], indices of vertices, all in range; null for clouds. Faces without area may be among them. */
  readonly triangles: Uint32Array | null;
}

/** Longest side of the bounding box; 0 where all points coincide: such an object cannot be normalised. */
export function longestSide({ positions }: Geometry): number {
  const low = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const high = low.map((value) => -value);
  for (let i = 0; i < positions.length; i++) {
    low[i % 3] = Math.min(low[i % 3], positions[i]);
    high[i % 3] = Math.max(high[i % 3], positions[i]);
  }
  return Math.max(...high.map((value, axis) => value - low[axis]));
}

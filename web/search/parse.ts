/** Reads geometry files as a list of corners or points; loaded only when a visitor opens one. */
import { parseGeometry } from 'romo/files';

export interface Corners {
  /** triangles [T, 3 corners, 3], or points [P, 3] */
  readonly positions: number[];
  readonly isMesh: boolean;
}

/** @throws RomoError `file`, naming the file */
export async function parseCorners(bytes: Uint8Array, name: string): Promise<Corners> {
  const { positions, triangles } = await parseGeometry(bytes, name);
  if (!triangles) return { positions: Array.from(positions), isMesh: false };
  const corners: number[] = [];
  for (const vertex of triangles) corners.push(...positions.subarray(3 * vertex, 3 * vertex + 3));
  return { positions: corners, isMesh: true };
}

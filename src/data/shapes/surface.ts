/** Converts a file's triangles to a surface that can be sampled and drawn. */
import { badFile } from '../../files/errors.ts';
import type { Geometry } from '../../files/geometry.ts';
import type { Surface } from './mesh.ts';

/** A surface with less area than this, relative to its longest side squared, is a line within rounding. */
const LEAST_AREA = 1e-10;

/**
 * Moves the surface's centroid to the origin and divides by the longest side of the bounding box, like the built-in
 * shapes. Unused vertices do not count, triangles of zero area are left out, and normals are the triangles' own.
 * @param name the file name in error messages
 * @throws RomoError `file` if there are no triangles or their area is zero
 */
export function surfaceOf({ positions, triangles }: Pick<Geometry, 'positions' | 'triangles'>, name: string): Surface {
  if (!triangles) throw badFile(name, 'has no faces, only points', 'Give a mesh, with faces to render and sample.');
  const corners = new Float64Array(3 * triangles.length);
  const normals = new Float64Array(corners.length);
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  const centre = [0, 0, 0];
  let total = 0;
  let kept = 0; // triangles
  for (let t = 0; t < triangles.length; t += 3) {
    const at = 9 * kept;
    for (let i = 0; i < 9; i++) corners[at + i] = positions[3 * triangles[t + Math.floor(i / 3)] + (i % 3)];
    const [ax, ay, az, bx, by, bz, cx, cy, cz] = corners.subarray(at, at + 9);
    const x = (by - ay) * (cz - az) - (bz - az) * (cy - ay);
    const y = (bz - az) * (cx - ax) - (bx - ax) * (cz - az);
    const z = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
    const length = Math.sqrt(x * x + y * y + z * z);
    if (length === 0) continue;
    for (let i = 0; i < 9; i++) {
      const axis = i % 3;
      const value = corners[at + i];
      normals[at + i] = (axis === 0 ? x : axis === 1 ? y : z) / length;
      low[axis] = Math.min(low[axis], value);
      high[axis] = Math.max(high[axis], value);
      centre[axis] += (length / 2) * (value / 3);
    }
    total += length / 2;
    kept++;
  }
  const longest = Math.max(...high.map((value, axis) => value - low[axis]));
  if (!(total > LEAST_AREA * longest * longest)) {
    throw badFile(name, `the area of its ${triangles.length / 3} triangles is zero`, 'Export the object again.');
  }
  const used = corners.subarray(0, 9 * kept);
  for (let i = 0; i < used.length; i++) used[i] = (used[i] - centre[i % 3] / total) / longest;
  return { positions: used, normals: normals.subarray(0, 9 * kept), albedo: new Float32Array(kept).fill(1) };
}

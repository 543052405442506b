/** Cuts polygons into triangles, for all formats that have polygons. */
import earcut from 'earcut';
import { badFile } from './errors.ts';

/** Limit for polygons that a fan does not cover; cutting takes up to quadratic time. */
const MOST_CORNERS = 16_384;

/** Share of the polygon's area by which rounding may turn a triangle of a fan over. */
const ROUNDING = 1e-9;

/**
 * Cuts a polygon along its inside. A polygon that the fan from its first corner covers exactly, such as any convex one,
 * becomes that fan. Others are projected along their normal and cut by ears.
 * Sources: M. Newell's normal of a polygon (Sutherland et al., ACM Computing Surveys 6, 1974); earcut.
 * @param positions [V, 3]
 * @param corners vertex indices, three or more
 * @param add is called with the vertex indices of each triangle, wound like the polygon
 */
export function triangulate(
  positions: Float64Array,
  corners: Uint32Array,
  name: string,
  add: (a: number, b: number, c: number) => void,
): void {
  const count = corners.length;
  const normal = count === 3 ? null : fanNormal(positions, corners);
  if (!normal) {
    for (let i = 1; i + 1 < count; i++) add(corners[0], corners[i], corners[i + 1]);
    return;
  }
  if (count > MOST_CORNERS) {
    throw badFile(name, `a face that is not convex has ${count} corners`, 'Export the object in triangles.');
  }
  // Dropping the axis along which the normal is longest keeps the shape of the polygon, up to a linear map.
  const longest = normal.map(Math.abs);
  const dropped = longest.indexOf(Math.max(...longest));
  const [u, v] = [(dropped + 1) % 3, (dropped + 2) % 3];
  const flat = new Float64Array(2 * count); // relative to the first corner, so that large coordinates keep their digits
  corners.forEach((vertex, i) => {
    flat[2 * i] = positions[3 * vertex + u] - positions[3 * corners[0] + u];
    flat[2 * i + 1] = positions[3 * vertex + v] - positions[3 * corners[0] + v];
  });
  const cut = earcut(flat);
  let area = 0;
  for (let i = 0; i < cut.length; i += 3) {
    const [ax, ay, bx, by, cx, cy] = [0, 1, 2].flatMap((k) => [flat[2 * cut[i + k]], flat[2 * cut[i + k] + 1]]);
    area += (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
  }
  const [second, third] = area * normal[dropped] < 0 ? [2, 1] : [1, 2];
  for (let i = 0; i < cut.length; i += 3) add(corners[cut[i]], corners[cut[i + second]], corners[cut[i + third]]);
}

/** The normal of a polygon that the fan from its first corner leaves or covers twice; null if the fan is right. */
function fanNormal(positions: Float64Array, corners: Uint32Array): number[] | null {
  const normal = [0, 0, 0];
  const normals = new Float64Array(3 * (corners.length - 2));
  for (let i = 0; i + 2 < corners.length; i++) {
    const [a, b, c] = [corners[0], corners[i + 1], corners[i + 2]].map((vertex) => 3 * vertex);
    const [ux, uy, uz] = [0, 1, 2].map((axis) => positions[b + axis] - positions[a + axis]);
    const [vx, vy, vz] = [0, 1, 2].map((axis) => positions[c + axis] - positions[a + axis]);
    const own = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    normals.set(own, 3 * i);
    own.forEach((value, axis) => {
      normal[axis] += value;
    });
  }
  const along = (i: number) => normal[0] * normals[i] + normal[1] * normals[i + 1] + normal[2] * normals[i + 2];
  const least = -ROUNDING * normal.reduce((sum, value) => sum + value * value, 0);
  for (let i = 0; i < normals.length; i += 3) if (along(i) < least) return normal;
  return null;
}

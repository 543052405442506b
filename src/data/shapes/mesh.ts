/** Triangle meshes as plain lists, and operations on whole meshes: move, turn, scale, paint, join, measure. */
import { cos, sin } from '../../tensor/exact.ts';

/** x, y, z. */
export type Vector = readonly [number, number, number];

/** Triangles, counter-clockwise as seen from outside. Lengths are in any unit; z points up. */
export interface Mesh {
  /** [T, 3 corners, 3] */
  readonly positions: number[];
  /** [T, 3 corners, 3], unit length, outward; averaged at corners of round surfaces. */
  readonly normals: number[];
  /** [T], albedo: the share of light that the surface reflects, 0..1. */
  readonly albedo: number[];
}

/** A read-only mesh for measuring, sampling and drawing, with lists of any kind. */
export interface Surface {
  readonly positions: ArrayLike<number>;
  readonly normals: ArrayLike<number>;
  readonly albedo: ArrayLike<number>;
}

/** A mesh without triangles. */
export function emptyMesh(): Mesh {
  return { positions: [], normals: [], albedo: [] };
}

/** Appends a triangle, unless its area is zero. The default normals are the triangle's own. */
export function addTriangle(mesh: Mesh, corners: readonly [Vector, Vector, Vector], normals?: readonly Vector[]): void {
  const face = cross(subtract(corners[1], corners[0]), subtract(corners[2], corners[0]));
  if (dot(face, face) < 1e-20) return;
  const own = normalized(face);
  for (let i = 0; i < 3; i++) {
    mesh.positions.push(...corners[i]);
    mesh.normals.push(...(normals ? normals[i] : own));
  }
  mesh.albedo.push(1);
}

export function join(meshes: readonly Mesh[]): Mesh {
  return {
    positions: meshes.flatMap((mesh) => mesh.positions),
    normals: meshes.flatMap((mesh) => mesh.normals),
    albedo: meshes.flatMap((mesh) => mesh.albedo),
  };
}

export function move(mesh: Mesh, by: Vector): Mesh {
  return { ...mesh, positions: mesh.positions.map((value, i) => value + by[i % 3]) };
}

/** Scales each axis by a positive factor. */
export function scale(mesh: Mesh, by: Vector): Mesh {
  const normals: number[] = [];
  for (let i = 0; i < mesh.normals.length; i += 3) {
    const [x, y, z] = mesh.normals.slice(i, i + 3);
    normals.push(...normalized([x / by[0], y / by[1], z / by[2]]));
  }
  return { ...mesh, positions: mesh.positions.map((value, i) => value * by[i % 3]), normals };
}

/** Rotates about a coordinate axis through the origin, counter-clockwise as seen from its tip. */
export function turn(mesh: Mesh, axis: 'x' | 'y' | 'z', degrees: number): Mesh {
  const u = axis === 'x' ? 1 : axis === 'y' ? 2 : 0;
  const v = (u + 1) % 3;
  const angle = (degrees / 180) * Math.PI;
  const c = cos(angle);
  const s = sin(angle);
  const turned = (list: number[]): number[] => {
    const result = list.slice();
    for (let i = 0; i < list.length; i += 3) {
      result[i + u] = c * list[i + u] - s * list[i + v];
      result[i + v] = s * list[i + u] + c * list[i + v];
    }
    return result;
  };
  return { ...mesh, positions: turned(mesh.positions), normals: turned(mesh.normals) };
}

/** Gives the whole mesh one albedo. */
export function paint(mesh: Mesh, albedo: number): Mesh {
  return { ...mesh, albedo: mesh.albedo.map(() => albedo) };
}

/** Lowest and highest corner of the bounding box. */
export function bounds(mesh: Mesh): { low: Vector; high: Vector } {
  const low: [number, number, number] = [Infinity, Infinity, Infinity];
  const high: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < mesh.positions.length; i++) {
    low[i % 3] = Math.min(low[i % 3], mesh.positions[i]);
    high[i % 3] = Math.max(high[i % 3], mesh.positions[i]);
  }
  return { low, high };
}

/** Area of each triangle. [T] */
export function triangleAreas(mesh: Surface): Float64Array {
  const areas = new Float64Array(mesh.albedo.length);
  const p = mesh.positions;
  for (let triangle = 0; triangle < areas.length; triangle++) {
    const i = 9 * triangle;
    const ux = p[i + 3] - p[i];
    const uy = p[i + 4] - p[i + 1];
    const uz = p[i + 5] - p[i + 2];
    const vx = p[i + 6] - p[i];
    const vy = p[i + 7] - p[i + 1];
    const vz = p[i + 8] - p[i + 2];
    const x = uy * vz - uz * vy;
    const y = uz * vx - ux * vz;
    const z = ux * vy - uy * vx;
    areas[triangle] = Math.sqrt(x * x + y * y + z * z) / 2;
  }
  return areas;
}

/** Moves the surface's centroid to the origin and divides by the longest side of the bounding box. */
export function normalizeMesh(mesh: Mesh): Mesh {
  const areas = triangleAreas(mesh);
  const centre = [0, 0, 0];
  let total = 0;
  for (let i = 0; i < mesh.positions.length; i++) {
    centre[i % 3] += (areas[Math.floor(i / 9)] * mesh.positions[i]) / 3;
    total += i % 9 === 0 ? areas[i / 9] : 0;
  }
  const { low, high } = bounds(mesh);
  const longest = Math.max(high[0] - low[0], high[1] - low[1], high[2] - low[2]);
  return { ...mesh, positions: mesh.positions.map((value, i) => (value - centre[i % 3] / total) / longest) };
}

export function add(a: Vector, b: Vector): Vector {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

export function subtract(a: Vector, b: Vector): Vector {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

export function times(a: Vector, factor: number): Vector {
  return [a[0] * factor, a[1] * factor, a[2] * factor];
}

export function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function normalized(a: Vector): Vector {
  return times(a, 1 / Math.sqrt(dot(a, a)));
}

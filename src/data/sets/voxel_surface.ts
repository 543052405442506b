/** Surface of an occupancy grid: cells with an empty neighbour, and a mesh of faces between full and empty cells. */
import type { Surface } from '../shapes/mesh.ts';
import { surfaceOf } from '../shapes/surface.ts';

/** Cells along each axis. */
export const GRID_SIDE = 30;

/** The four corners of a cell's face, counter-clockwise from outside, by the axis and sign of its normal. */
const FACES = [0, 1, 2].flatMap((axis) =>
  [-1, 1].map((direction) => {
    const [u, v] = direction > 0 ? [(axis + 1) % 3, (axis + 2) % 3] : [(axis + 2) % 3, (axis + 1) % 3];
    const corners = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ].map(([alongU, alongV]) => {
      const corner = [0, 0, 0];
      corner[axis] = direction > 0 ? 1 : 0;
      corner[u] = alongU;
      corner[v] = alongV;
      return corner;
    });
    return { axis, direction, corners };
  }),
);

const isFull = (grid: Uint8Array, x: number, y: number, z: number): boolean =>
  Math.min(x, y, z) >= 0 && Math.max(x, y, z) < GRID_SIDE && grid[(x * GRID_SIDE + y) * GRID_SIDE + z] > 0;

/** Calls `visit` for each face between a full and an empty cell. */
function forEachFace(
  grid: Uint8Array,
  visit: (cell: readonly [number, number, number], corners: readonly (readonly number[])[]) => void,
): void {
  for (let x = 0; x < GRID_SIDE; x++) {
    for (let y = 0; y < GRID_SIDE; y++) {
      for (let z = 0; z < GRID_SIDE; z++) {
        if (!isFull(grid, x, y, z)) continue;
        for (const { axis, direction, corners } of FACES) {
          const next = [x, y, z];
          next[axis] += direction;
          if (!isFull(grid, next[0], next[1], next[2])) visit([x, y, z], corners);
        }
      }
    }
  }
}

/**
 * The cells with an empty neighbour, each once.
 * @param grid [30, 30, 30]
 * @returns [n, 3], the cells' lowest corners
 */
export function surfaceCells(grid: Uint8Array): Float32Array {
  const found = new Map<string, readonly number[]>();
  forEachFace(grid, (cell) => found.set(`${cell}`, cell));
  return Float32Array.from([...found.values()].flat());
}

/**
 * The faces as a mesh of two triangles each. Normals point away from the occupied cells around a corner, so that
 * shading follows the object rather than single cubes.
 */
export function voxelSurface(grid: Uint8Array): Surface {
  const positions: number[] = [];
  const triangles: number[] = [];
  const outward: number[][] = []; // normal of each vertex
  const vertices = new Map<number, number>(); // vertex index by the corner's position
  const vertexAt = (x: number, y: number, z: number): number => {
    const place = (x * (GRID_SIDE + 1) + y) * (GRID_SIDE + 1) + z;
    const known = vertices.get(place);
    if (known !== undefined) return known;
    vertices.set(place, outward.length);
    positions.push(x, y, z);
    outward.push(awayFromMatter(grid, [x, y, z]));
    return outward.length - 1;
  };
  forEachFace(grid, ([x, y, z], corners) => {
    const [a, b, c, d] = corners.map((corner) => vertexAt(x + corner[0], y + corner[1], z + corner[2]));
    triangles.push(a, b, c, a, c, d);
  });
  const mesh = { positions: Float64Array.from(positions), triangles: Uint32Array.from(triangles) };
  const surface = surfaceOf(mesh, 'voxels');
  const normals = Float64Array.from(surface.normals); // the face's own where occupied cells balance out
  triangles.forEach((vertex, corner) => {
    const [x, y, z] = outward[vertex];
    const length = Math.sqrt(x * x + y * y + z * z);
    if (length > 0) normals.set([x / length, y / length, z / length], 3 * corner);
  });
  return { ...surface, normals };
}

const REACH = 2; // cells around a corner that determine its normal

function awayFromMatter(grid: Uint8Array, [x, y, z]: readonly number[]): number[] {
  const sum = [0, 0, 0];
  for (let i = -REACH; i < REACH; i++) {
    for (let j = -REACH; j < REACH; j++) {
      for (let k = -REACH; k < REACH; k++) {
        if (!isFull(grid, x + i, y + j, z + k)) continue;
        sum[0] -= i + 0.5;
        sum[1] -= j + 0.5;
        sum[2] -= k + 0.5;
      }
    }
  }
  return sum;
}

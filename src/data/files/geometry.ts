/** Meshes and point clouds from files, by the extension of the file's name. `parseGeometry` runs in browsers too. */
import { badFile } from './errors.ts';
import { parseOff } from './off.ts';

export interface Geometry {
  /** [V, 3], finite; as in the file: neither scaled nor turned */
  readonly positions: Float32Array;
  /** [F, 3], indices of vertices, all in range; null for clouds. Faces without area may be among them. */
  readonly triangles: Uint32Array | null;
}

type Parser = (bytes: Uint8Array, name: string) => Geometry | Promise<Geometry>;

const PARSERS: Readonly<Record<string, Parser>> = {
  off: parseOff,
};

/** Extensions that can be read, in lower case, without the dot. */
export const GEOMETRY_EXTENSIONS: readonly string[] = Object.keys(PARSERS);

/**
 * A mesh or a cloud from the bytes of a file. Polygons become fans of triangles; unused vertices stay in `positions`.
 * @param name decides by its extension which format is read, and stands in errors
 * @throws RomoError `file` on everything that is no complete, finite, consistent file of its kind
 */
export async function parseGeometry(bytes: Uint8Array, name: string): Promise<Geometry> {
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1].toLowerCase() ?? '';
  if (!Object.hasOwn(PARSERS, extension)) {
    const known = GEOMETRY_EXTENSIONS.join(', ');
    throw badFile(name, `files called .${extension} are not read as 3D objects`, `Use one of ${known}`);
  }
  if (bytes.length === 0) throw badFile(name, 'is empty');
  return PARSERS[extension](bytes, name);
}

/**
 * `parseGeometry` of a file on disk. Node only.
 * @throws RomoError `file`, also where the file cannot be read
 */
export async function readGeometry(path: string): Promise<Geometry> {
  const { readBytes } = await import('./read_bytes.ts');
  return parseGeometry(await readBytes(path), path);
}

/** Sum of the triangles' areas, in squared units of the file; 0 for clouds. Nothing can be sampled from 0. */
export function surfaceArea({ positions, triangles }: Geometry): number {
  let sum = 0;
  for (let t = 0; triangles && t < triangles.length; t += 3) {
    const [a, b, c] = [3 * triangles[t], 3 * triangles[t + 1], 3 * triangles[t + 2]];
    const [ux, uy, uz] = [0, 1, 2].map((axis) => positions[b + axis] - positions[a + axis]);
    const [vx, vy, vz] = [0, 1, 2].map((axis) => positions[c + axis] - positions[a + axis]);
    sum += Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx) / 2;
  }
  return sum;
}

/** Longest side of the bounding box; 0 where all points coincide, which then cannot be normalised. */
export function longestSide({ positions }: Geometry): number {
  const low = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const high = low.map((value) => -value);
  for (let i = 0; i < positions.length; i++) {
    low[i % 3] = Math.min(low[i % 3], positions[i]);
    high[i % 3] = Math.max(high[i % 3], positions[i]);
  }
  return Math.max(...high.map((value, axis) => value - low[axis]));
}

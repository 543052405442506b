/** Meshes and point clouds from the bytes of files, by the extension of the file's name. Runs in browsers too. */
import { badFile, quoted } from './errors.ts';
import { parseGlb } from './glb.ts';
import { cloudOf, parseNpy } from './npy.ts';
import { parseObj } from './obj.ts';
import { parseOff } from './off.ts';
import { parseNpz } from './parse_npz.ts';
import { parsePcd } from './pcd.ts';
import { parsePly } from './ply.ts';
import { parseStl } from './stl.ts';
import { parseXyz } from './xyz.ts';

export interface Geometry {
  /** [V, 3], finite; as in the file: neither scaled nor turned */
  readonly positions: Float32Array;
  /** [F, 3], indices of vertices, all in range; null for clouds. Faces without area may be among them. */
  readonly triangles: Uint32Array | null;
}

export type Parser = (bytes: Uint8Array, name: string) => Geometry | Promise<Geometry>;

const PARSERS: Readonly<Record<string, Parser>> = {
  glb: parseGlb,
  npy: (bytes, name) => cloudOf(parseNpy(bytes, name), name),
  npz: parseNpzCloud,
  obj: parseObj,
  off: parseOff,
  pcd: parsePcd,
  ply: parsePly,
  stl: parseStl,
  txt: parseXyz,
  xyz: parseXyz,
};

/** What programs call the array of points, in the order of preference. */
const CLOUD_NAMES = ['points', 'xyz', 'pc', 'pos', 'positions', 'cloud', 'vertices', 'arr_0'];

/** Extensions that can be read, in lower case, without the dot. */
export const GEOMETRY_EXTENSIONS: readonly string[] = Object.keys(PARSERS);

async function parseNpzCloud(bytes: Uint8Array, name: string): Promise<Geometry> {
  const npz = parseNpz(bytes, name);
  const found = npz.names.length === 1 ? npz.names[0] : CLOUD_NAMES.find((wanted) => npz.names.includes(wanted));
  if (found === undefined) {
    const names = npz.names.slice(0, 8).map(quoted).join(', ');
    throw badFile(name, `it is unclear which array is the cloud: ${names}`, `Call it ${quoted(CLOUD_NAMES[0])}.`);
  }
  return cloudOf(await npz.array(found), `${name}: array ${quoted(found)}`);
}

/**
 * A mesh or a cloud from the bytes of a file. Polygons become fans of triangles; unused vertices stay in `positions`.
 * A header may promise anything: memory is taken for what the file really holds, at most 64 times its size and 1 MiB
 * (compressed files as far as their compression can reach: LZF 88 times, .npz 1032 times and 1 GiB).
 * @param name decides by its extension which format is read, and stands in errors
 * @throws RomoError `file` on everything that is no complete, finite, consistent file of its kind
 */
export async function parseGeometry(bytes: Uint8Array, name: string): Promise<Geometry> {
  const parse = parserOf(name);
  if (bytes.length === 0) throw badFile(name, 'is empty');
  return parse(bytes, name);
}

/** @throws RomoError `file` where nothing reads files of that name */
export function parserOf(name: string): Parser {
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1].toLowerCase() ?? '';
  if (!Object.hasOwn(PARSERS, extension)) {
    const known = GEOMETRY_EXTENSIONS.join(', ');
    throw badFile(name, `files called .${extension} are not read as 3D objects`, `Use one of ${known}.`);
  }
  return PARSERS[extension];
}

/** Sum of the triangles' areas, in squared units of the file; 0 for clouds. Nothing can be sampled from 0. */
export function surfaceArea({ positions, triangles }: Geometry): number {
  let sum = 0;
  for (let t = 0; triangles && t < triangles.length; t += 3) {
    const a = 3 * triangles[t];
    const b = 3 * triangles[t + 1];
    const c = 3 * triangles[t + 2];
    const ux = positions[b] - positions[a];
    const uy = positions[b + 1] - positions[a + 1];
    const uz = positions[b + 2] - positions[a + 2];
    const vx = positions[c] - positions[a];
    const vy = positions[c + 1] - positions[a + 1];
    const vz = positions[c + 2] - positions[a + 2];
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

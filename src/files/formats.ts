/** Meshes and point clouds from the bytes of files, by the extension of the file's name. Runs in browsers too. */
import { badFile, quoted } from './errors.ts';
import type { Geometry } from './geometry.ts';
import { parseGlb } from './glb.ts';
import { cloudOf, parseNpy } from './npy.ts';
import { parseNpz } from './npz.ts';
import { parseObj } from './obj.ts';
import { parseOff } from './off.ts';
import { parsePcd } from './pcd.ts';
import { parsePly } from './ply.ts';
import { parseStl } from './stl.ts';
import { parseXyz } from './xyz.ts';

type Parser = (bytes: Uint8Array, name: string) => Geometry | Promise<Geometry>;

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
 * @param name its extension decides which format is read; it is shown in errors
 * @throws RomoError `file` unless the file is complete, consistent and finite
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

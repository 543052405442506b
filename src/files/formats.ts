/** Reads meshes and point clouds from bytes. The extension selects the format. Runs in browsers too. */
import { badFile, quoted } from './errors.ts';
import type { Geometry } from './geometry.ts';
import { parseGlb, parseGltf } from './glb.ts';
import { cloudOfArray, parseNpy } from './npy.ts';
import { parseNpz } from './npz.ts';
import { parseObj } from './obj.ts';
import { parseOff } from './off.ts';
import { parsePcd } from './pcd.ts';
import { parsePly } from './ply.ts';
import { parseStl } from './stl.ts';
import { plainText } from './text.ts';
import { parseXyz } from './xyz.ts';

type Parser = (bytes: Uint8Array, name: string) => Geometry | Promise<Geometry>;

const PARSERS: Readonly<Record<string, Parser>> = {
  glb: parseGlb,
  gltf: parseGltf,
  npy: (bytes, name) => cloudOfArray(parseNpy(bytes, name), name),
  npz: parseNpzCloud,
  obj: (bytes, name) => parseObj(plainText(bytes, name), name),
  off: (bytes, name) => parseOff(plainText(bytes, name), name),
  pcd: (bytes, name) => parsePcd(plainText(bytes, name), name),
  ply: (bytes, name) => parsePly(plainText(bytes, name), name),
  stl: parseStl,
  txt: (bytes, name) => parseXyz(plainText(bytes, name), name),
  xyz: (bytes, name) => parseXyz(plainText(bytes, name), name),
};

/** Usual names of the array of points, in order of preference. */
const CLOUD_NAMES =
  'points point_cloud pointcloud cloud xyz pc pcd pts pos positions coords coordinates vertices data arr_0'.split(' ');

/** Supported extensions, in lower case, without the dot. */
export const GEOMETRY_EXTENSIONS: readonly string[] = Object.keys(PARSERS);

async function parseNpzCloud(bytes: Uint8Array, name: string): Promise<Geometry> {
  const npz = parseNpz(bytes, name);
  const found = npz.names.length === 1 ? npz.names[0] : CLOUD_NAMES.find((wanted) => npz.names.includes(wanted));
  if (found === undefined) {
    const names = npz.names.slice(0, 8).map(quoted).join(', ');
    throw badFile(name, `it is unclear which array is the cloud: ${names}`, `Name it ${quoted(CLOUD_NAMES[0])}.`);
  }
  return cloudOfArray(await npz.array(found), `${name}: array ${quoted(found)}`);
}

/**
 * Parses a mesh or a cloud. Polygons are cut into triangles along their inside; holes of clouds are left out;
 * unused vertices of meshes stay in `positions`. Text may be UTF-8 or UTF-16. Memory follows the data
 * that the file really holds, not the counts in its header: at most 64 times the file size plus 1 MiB. For compressed
 * files the limit is the largest possible compression ratio: 88 for LZF, 1032 (and 1 GiB) for .npz.
 * @param name the file name; its extension selects the format, and error messages name it
 * @throws RomoError `file` unless the file is complete, consistent and finite
 */
export async function parseGeometry(bytes: Uint8Array, name: string): Promise<Geometry> {
  const parse = parserOf(name);
  if (bytes.length === 0) throw badFile(name, 'is empty');
  return parse(bytes, name);
}

/** @throws RomoError `file` if the extension is not supported */
export function parserOf(name: string): Parser {
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1].toLowerCase() ?? '';
  if (!Object.hasOwn(PARSERS, extension)) {
    const known = GEOMETRY_EXTENSIONS.join(', ');
    throw badFile(name, `the extension .${extension} is not a supported 3D format`, `Use one of ${known}.`);
  }
  return PARSERS[extension];
}

/** Meshes and point clouds from files on disk. Node only; pages import ./parse_geometry.ts, which needs nothing of Node. */
import { type Geometry, parseGeometry, parserOf } from './parse_geometry.ts';
import { readBytes } from './read_bytes.ts';

export { GEOMETRY_EXTENSIONS, type Geometry, longestSide, parseGeometry, surfaceArea } from './parse_geometry.ts';

/**
 * `parseGeometry` of a file on disk.
 * @throws RomoError `file`, also where the file cannot be read
 */
export async function readGeometry(path: string): Promise<Geometry> {
  parserOf(path); // before a large file of another kind is read
  return parseGeometry(await readBytes(path), path);
}

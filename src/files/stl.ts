/**
 * STL, text and binary. Source: 3D Systems, "StereoLithography Interface Specification", 1988. Each facet brings its own
 * three vertices; normals are not read, because writers leave `nan` and zeros there.
 */
import { badFile, quoted } from './errors.ts';
import type { Geometry } from './geometry.ts';
import { MeshBuilder } from './mesh_builder.ts';
import { viewOf } from './scalars.ts';
import { Scanner } from './scanner.ts';

const HEADER_BYTES = 84; // 80 of free text, then the number of facets
const FACET_BYTES = 50; // normal and three vertices in float32, two bytes of attributes

/** @param name what errors call the file */
export function parseStl(bytes: Uint8Array, name: string): Geometry {
  const facets = bytes.length < HEADER_BYTES ? Number.NaN : viewOf(bytes).getUint32(80, true);
  // Binary files may begin with "solid" as well: the length decides, or a zero byte, which no text has.
  const exact = bytes.length === HEADER_BYTES + FACET_BYTES * facets;
  const start = String.fromCharCode(...bytes.subarray(0, 1024));
  if (!exact && /^\s*solid/i.test(start) && !start.includes('\0')) return parseText(new Scanner(bytes, name, ''));
  if (Number.isNaN(facets)) throw badFile(name, `has ${bytes.length} bytes, too few for STL`);
  const room = (bytes.length - HEADER_BYTES) / FACET_BYTES;
  if (facets > room) throw badFile(name, `says ${facets} facets and has room for ${Math.floor(room)}`);
  return parseBinary(bytes, facets, name);
}

function parseBinary(bytes: Uint8Array, facets: number, name: string): Geometry {
  const view = viewOf(bytes);
  const mesh = new MeshBuilder(name);
  for (let facet = 0; facet < facets; facet++) {
    mesh.face();
    for (let corner = 0; corner < 3; corner++) {
      const at = HEADER_BYTES + FACET_BYTES * facet + 12 * (corner + 1);
      const [x, y, z] = [0, 4, 8].map((offset) => view.getFloat32(at + offset, true));
      mesh.vertex(x, y, z);
      mesh.corner(3 * facet + corner);
    }
  }
  return mesh.finish();
}

function parseText(scanner: Scanner): Geometry {
  const mesh = new MeshBuilder(scanner.name);
  let inSolid = false;
  let corners = -1; // of the facet that is being read; -1 between facets
  while (scanner.seek()) {
    const word = scanner.word().toLowerCase();
    if (word === 'solid' || word === 'endsolid') {
      inSolid = word === 'solid';
      scanner.endLine(); // a name, of any words
    } else if (word === 'facet') {
      for (let i = 0; i < 4; i++) scanner.word(); // "normal" and its three numbers
      mesh.face();
      corners = 0;
    } else if (word === 'vertex' && corners >= 0) {
      const what = `a coordinate of vertex ${mesh.vertices}`;
      mesh.vertex(scanner.number(what), scanner.number(what), scanner.number(what));
      mesh.corner(mesh.vertices - 1);
      corners++;
    } else if (word === 'endfacet') {
      if (corners < 3) throw scanner.error(`a facet of ${Math.max(0, corners)} vertices`);
      corners = -1;
    } else if (!['outer', 'loop', 'endloop'].includes(word)) {
      throw scanner.error(`${quoted(word)} is out of place`);
    }
  }
  if (inSolid || corners >= 0) throw scanner.error('the file ends without endsolid');
  return mesh.finish();
}

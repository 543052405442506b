/**
 * Reads STL, text and binary. Source: 3D Systems, "StereoLithography Interface Specification", 1988. Each facet has its
 * own three vertices. Normals are ignored, because some writers store `nan` or zeros.
 */
import { badFile, quoted } from './errors.ts';
import type { Geometry } from './geometry.ts';
import { MeshBuilder } from './mesh_builder.ts';
import { viewOf } from './scalars.ts';
import { Scanner } from './scanner.ts';
import { plainText } from './text.ts';

const HEADER_BYTES = 84; // 80 of free text, 4 for the number of facets
const FACET_BYTES = 50; // normal and three vertices in float32, two bytes of attributes

/** @param name the file name in error messages */
export function parseStl(bytes: Uint8Array, name: string): Geometry {
  const facets = bytes.length < HEADER_BYTES ? Number.NaN : viewOf(bytes).getUint32(80, true);
  const exact = bytes.length === HEADER_BYTES + FACET_BYTES * facets;
  const text = plainText(bytes, name);
  if (!exact && isText(text)) return parseText(new Scanner(text, name, { comment: '' }));
  if (Number.isNaN(facets)) throw badFile(name, `has ${bytes.length} bytes, too few for STL`);
  const room = (bytes.length - HEADER_BYTES) / FACET_BYTES;
  if (facets > room || (facets === 0 && room >= 1))
    throw badFile(name, `its header says ${facets} facets, but ${Math.floor(room)} follow`);
  return parseBinary(bytes, facets, name);
}

/** Binary files may begin with "solid" too. The exact length, or a zero byte before the first facet, gives them away. */
function isText(bytes: Uint8Array): boolean {
  const start = String.fromCharCode(...bytes.subarray(0, 1024));
  return /^\s*solid/i.test(start) && (!start.includes('\0') || /^[^\0]*\sfacet\s+normal\s/i.test(start));
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

/**
 * Facets in text. Exporters differ in everything else: `endsolidNAME`, `end solid`, colours, comments, several solids,
 * no `endsolid` at all. So lines outside facets are skipped, and within a facet the words before the first vertex.
 */
function parseText(scanner: Scanner): Geometry {
  const mesh = new MeshBuilder(scanner.name);
  let corners = -1; // of the current facet; -1 between facets
  while (scanner.seek()) {
    const word = scanner.word().toLowerCase();
    if (word === 'facet') {
      if (corners >= 0) throw scanner.error('a facet begins inside another one');
      mesh.face();
      corners = 0;
    } else if (word === 'vertex') {
      if (corners < 0) throw scanner.error('a vertex outside a facet');
      const what = `a coordinate of vertex ${mesh.vertices}`;
      mesh.vertex(scanner.coordinate(what), scanner.coordinate(what), scanner.coordinate(what));
      mesh.corner(mesh.vertices - 1);
      corners++;
    } else if (word === 'endfacet' || (word === 'end' && scanner.peek().toLowerCase() === 'facet')) {
      if (corners < 3) throw scanner.error(`a facet of ${Math.max(0, corners)} vertices instead of three`);
      corners = -1;
      if (word === 'end') scanner.word();
    } else if (corners < 0) {
      scanner.endLine();
    } else if (word.startsWith('color')) {
      scanner.endLine();
    } else if (corners > 0 && !['end', 'loop', 'endloop'].includes(word)) {
      throw scanner.error(`unexpected ${quoted(word)}`);
    }
  }
  if (corners >= 0) throw scanner.error('the file ends inside a facet');
  return mesh.finish(scanner.remarks);
}

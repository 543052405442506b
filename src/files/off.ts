/**
 * Reads OFF, the text format of ModelNet. Source: http://www.geomview.org/docs/html/OFF.html
 *
 * Also accepted: counts joined to the header (`OFF490 518 0`, as in a third of ModelNet), counts on the header's line,
 * comments, blank lines, colours after the indices of a face, and COFF, NOFF, CNOFF and STOFF. Each vertex and each face
 * has a line of its own; further values on the line are skipped, whatever the header says.
 */

import type { Geometry } from './geometry.ts';
import { MeshBuilder } from './mesh_builder.ts';
import { Scanner } from './scanner.ts';

/** @param name the file name in error messages */
export function parseOff(bytes: Uint8Array, name: string): Geometry {
  const scanner = new Scanner(bytes, name);
  const header = /^((ST)?(C)?(N)?(4)?(n)?OFF|off)/.exec(scanner.peek());
  if (!header) {
    throw scanner.error('not an OFF file: it does not begin with OFF', 'Check that the extension matches the content.');
  }
  const [keyword, , , , , four, dimension] = header;
  if (four || dimension) throw scanner.error(`${keyword} has four or more dimensions`, 'Export it as plain OFF.');
  scanner.position += keyword.length;
  scanner.seek();
  if (scanner.peek() === 'BINARY') throw scanner.error('binary OFF is not supported', 'Export it as text, or as PLY.');
  const [vertices, faces] = ['vertices', 'faces'].map((what) => {
    scanner.seekRecord(`the number of ${what}`);
    return scanner.count(`the number of ${what}`);
  });
  scanner.endLine(); // the number of edges, which is not needed
  const mesh = new MeshBuilder(name);
  for (let i = 0; i < vertices; i++) {
    const what = `coordinates of vertex ${i} of ${vertices}`;
    scanner.seekRecord(what);
    mesh.vertex(scanner.coordinate(what), scanner.coordinate(what), scanner.coordinate(what));
    scanner.endLine();
  }
  for (let i = 0; i < faces; i++) {
    scanner.seekRecord(`face ${i} of ${faces}`);
    const corners = scanner.count(`the number of corners of face ${i} of ${faces}`);
    mesh.face();
    for (let corner = 0; corner < corners; corner++) mesh.corner(scanner.count(`an index of face ${i} of ${faces}`));
    scanner.endLine();
  }
  return mesh.finish(scanner.remarks);
}

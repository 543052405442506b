/**
 * Reads Wavefront OBJ: `v` and `f`, with negative indices, polygons, and lines continued by a backslash. A file without
 * `f` is a cloud.
 * Source: Wavefront, "Advanced Visualizer Manual", appendix B1. Materials, normals, lines and curves are skipped.
 */
import { quoted } from './errors.ts';
import type { Geometry } from './geometry.ts';
import { MeshBuilder } from './mesh_builder.ts';
import { Scanner } from './scanner.ts';

/** @param name the file name in error messages */
export function parseObj(bytes: Uint8Array, name: string): Geometry {
  const scanner = new Scanner(bytes, name, { continued: true });
  const mesh = new MeshBuilder(name);
  let faces = 0;
  let freeForm = false;
  while (scanner.seek()) {
    const keyword = scanner.word();
    if (keyword === 'v') {
      const what = `a coordinate of vertex ${mesh.vertices}`;
      mesh.vertex(scanner.coordinate(what), scanner.coordinate(what), scanner.coordinate(what));
    } else if (keyword === 'f' || keyword === 'fo') {
      faces++;
      readFace(scanner, mesh);
    } else if (keyword === 'surf') freeForm = true;
    scanner.endLine();
  }
  if (freeForm && faces === 0) {
    throw scanner.error('its surfaces are curved (surf), and it has no faces', 'Export the object as polygons.');
  }
  return mesh.finish(scanner.remarks);
}

function readFace(scanner: Scanner, mesh: MeshBuilder): void {
  mesh.face();
  while (scanner.seekInLine()) {
    const word = scanner.word();
    const index = /^-?\d+(?=\/|$)/.test(word) ? Number.parseInt(word, 10) : 0;
    const vertex = index < 0 ? mesh.vertices + index : index - 1;
    if (index === 0 || vertex < 0) throw scanner.error(`${quoted(word)} is not a valid vertex index`);
    mesh.corner(vertex);
  }
}

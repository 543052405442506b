/**
 * Wavefront OBJ: `v` and `f`; negative indices, lines continued with a backslash, polygons. A file without `f` is a cloud.
 * Source: Wavefront, "Advanced Visualizer Manual", appendix B1. Materials, normals, curves are read over.
 */
import { quoted } from './errors.ts';
import type { Geometry } from './geometry.ts';
import { MeshBuilder } from './mesh_builder.ts';
import { Scanner } from './scanner.ts';

/** @param name what errors call the file */
export function parseObj(bytes: Uint8Array, name: string): Geometry {
  const scanner = new Scanner(bytes, name);
  const mesh = new MeshBuilder(name);
  while (scanner.seek()) {
    const keyword = scanner.word();
    if (keyword === 'v') {
      const what = `a coordinate of vertex ${mesh.vertices}`;
      mesh.vertex(scanner.number(what), scanner.number(what), scanner.number(what));
    } else if (keyword === 'f') readFace(scanner, mesh);
    scanner.endLine();
  }
  return mesh.finish();
}

function readFace(scanner: Scanner, mesh: MeshBuilder): void {
  mesh.face();
  while (scanner.seekInLine()) {
    let word = scanner.word();
    if (word.endsWith('\\')) {
      scanner.endLine();
      word = word.slice(0, -1);
      if (word === '') continue;
    }
    const index = /^-?\d+(?=\/|$)/.test(word) ? Number.parseInt(word, 10) : 0;
    const vertex = index < 0 ? mesh.vertices + index : index - 1;
    if (index === 0 || vertex < 0) throw scanner.error(`${quoted(word)} names no vertex`);
    mesh.corner(vertex);
  }
}

/** Reads a cloud from text: x y z per line, separated by blanks, commas or semicolons. Further columns are ignored. */

import type { Geometry } from './geometry.ts';
import { MeshBuilder } from './mesh_builder.ts';
import { Scanner } from './scanner.ts';

/** @param name the file name in error messages */
export function parseXyz(bytes: Uint8Array, name: string): Geometry {
  const scanner = new Scanner(bytes, name, '#', ',;');
  const cloud = new MeshBuilder(name);
  while (scanner.seek()) {
    const [x, y, z] = ['x', 'y', 'z'].map((axis) => {
      if (!scanner.seekInLine()) throw scanner.error('fewer than three numbers on the line');
      return scanner.number(`${axis} of point ${cloud.vertices}`);
    });
    cloud.vertex(x, y, z);
    scanner.endLine();
  }
  return cloud.finish();
}

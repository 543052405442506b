/** A cloud as text: a point per line, x y z first, separated by blanks, commas or semicolons; more columns are read over. */

import type { Geometry } from './geometry.ts';
import { MeshBuilder } from './mesh_builder.ts';
import { Scanner } from './scanner.ts';

/** @param name what errors call the file */
export function parseXyz(bytes: Uint8Array, name: string): Geometry {
  const scanner = new Scanner(bytes, name, '#', ',;');
  const cloud = new MeshBuilder(name);
  while (scanner.seek()) {
    const [x, y, z] = ['x', 'y', 'z'].map((axis) => {
      if (!scanner.seekInLine()) throw scanner.error('fewer than three numbers in a line');
      return scanner.number(`${axis} of point ${cloud.vertices}`);
    });
    cloud.vertex(x, y, z);
    scanner.endLine();
  }
  return cloud.finish();
}

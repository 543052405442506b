/** Files with geometry as a list of corners or points; loaded only when a visitor brings one. */
import type { BufferGeometry, Mesh } from 'three';
import { OBJLoader } from 'three/examples/jsm/loaders/OBJLoader.js';
import { PLYLoader } from 'three/examples/jsm/loaders/PLYLoader.js';
import { GEOMETRY_EXTENSIONS, parseGeometry } from '../../src/data/files/geometry.ts';

export interface Corners {
  /** triangles [T, 3 corners, 3], or points [P, 3] */
  readonly positions: number[];
  readonly isMesh: boolean;
}

/** @throws where the file cannot be read; the message names it */
export async function parseMesh(bytes: Uint8Array, name: string): Promise<Corners> {
  const format = name.split('.').pop()?.toLowerCase() ?? '';
  if (GEOMETRY_EXTENSIONS.includes(format)) {
    const { positions, triangles } = await parseGeometry(bytes, name);
    if (!triangles) return { positions: Array.from(positions), isMesh: false };
    const corners = Array.from(triangles, (vertex) => Array.from(positions.subarray(3 * vertex, 3 * vertex + 3)));
    return { positions: corners.flat(), isMesh: true };
  }
  try {
    if (format === 'obj') return objCorners(new TextDecoder().decode(bytes));
    if (format === 'ply') return cornersOf(new PLYLoader().parse(bytes.slice().buffer));
  } catch (cause) {
    throw new Error(`${name} is no valid ${format.toUpperCase()} file: ${(cause as Error).message}`);
  }
  throw new Error(`${name} has a format that is not known here. Use OFF, OBJ or PLY.`);
}

function cornersOf(geometry: BufferGeometry): Corners {
  const isMesh = geometry.index !== null;
  const position = (isMesh ? geometry.toNonIndexed() : geometry).getAttribute('position');
  return { positions: position ? Array.from(position.array) : [], isMesh };
}

/** All meshes of the file; its points where it has no faces. */
function objCorners(text: string): Corners {
  const triangles: number[] = [];
  new OBJLoader().parse(text).traverse((object) => {
    const mesh = object as Mesh;
    if (mesh.isMesh) for (const value of mesh.geometry.getAttribute('position').array) triangles.push(value);
  });
  if (triangles.length > 0) return { positions: triangles, isMesh: true };
  const vertices = [...text.matchAll(/^v\s+(\S+)\s+(\S+)\s+(\S+)/gm)];
  return { positions: vertices.flatMap(([, ...corner]) => corner.map(Number)), isMesh: false };
}

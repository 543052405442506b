/** Files with geometry, read by three's loaders. */
import type { BufferGeometry, Mesh } from 'three';
import { OBJLoader } from 'three/examples/jsm/loaders/OBJLoader.js';
import { PLYLoader } from 'three/examples/jsm/loaders/PLYLoader.js';

export interface Geometry {
  /** triangles [T, 3 corners, 3], or points [P, 3] */
  readonly positions: number[];
  readonly isMesh: boolean;
}

/** @throws where the file cannot be read; the message names it */
export function parseMesh(bytes: Uint8Array, name: string): Geometry {
  const format = name.split('.').pop()?.toLowerCase();
  try {
    if (format === 'obj') return objGeometry(new TextDecoder().decode(bytes));
    if (format === 'ply') return ofGeometry(new PLYLoader().parse(bytes.slice().buffer));
  } catch (cause) {
    throw new Error(`${name} is no valid ${format?.toUpperCase()} file: ${(cause as Error).message}`);
  }
  throw new Error(`${name} has a format that is not known here. Use OBJ or PLY.`);
}

function ofGeometry(geometry: BufferGeometry): Geometry {
  const isMesh = geometry.index !== null;
  const position = (isMesh ? geometry.toNonIndexed() : geometry).getAttribute('position');
  return { positions: position ? Array.from(position.array) : [], isMesh };
}

/** All meshes of the file; its points where it has no faces. */
function objGeometry(text: string): Geometry {
  const triangles: number[] = [];
  new OBJLoader().parse(text).traverse((object) => {
    const mesh = object as Mesh;
    if (mesh.isMesh) for (const value of mesh.geometry.getAttribute('position').array) triangles.push(value);
  });
  if (triangles.length > 0) return { positions: triangles, isMesh: true };
  const vertices = [...text.matchAll(/^v\s+(\S+)\s+(\S+)\s+(\S+)/gm)];
  return { positions: vertices.flatMap(([, ...corner]) => corner.map(Number)), isMesh: false };
}

/** Converts the visitor's meshes and clouds to what the encoders expect: a centred cloud, z up, its longest side 1. */
import { Random } from 'romo';
import { type Mesh, normalizeCloud, normalizeMesh, samplePoints, turn } from 'romo/data';
import type { Corners } from './parse.ts';

/** The same number as in the built-in shapes' clouds. */
const POINTS = 1024;

/**
 * @param up the axis that points up in the file
 * @returns [POINTS, 3]
 * @throws if the file cannot be used; the message names it
 */
export async function readMesh(bytes: Uint8Array, name: string, up: 'y' | 'z'): Promise<Float32Array> {
  const { parseCorners } = await import('./parse.ts'); // few visitors bring meshes
  const { positions, isMesh } = upright(await parseCorners(bytes, name), up);
  const isSpread = positions.some((value, i) => value !== positions[i % 3]);
  if (positions.length < 9 || !isSpread || !positions.every(Number.isFinite)) {
    throw new Error(
      `${name} does not contain an object: it has ${positions.length / 3} corners. Export it again with its geometry.`,
    );
  }
  const random = new Random(1, 'mesh', name);
  if (!isMesh) return drawnCloud(positions, random);
  return samplePoints(normalizeMesh(meshOf(positions)), POINTS, random);
}

/** Rotates so that z is up. */
function upright(corners: Corners, up: 'y' | 'z'): Corners {
  if (up === 'z') return corners;
  return { ...corners, positions: turn(meshOf(corners.positions), 'x', 90).positions };
}

/** A mesh for sampling and turning, which use only positions and areas. */
const meshOf = (positions: number[]): Mesh => ({
  positions,
  normals: [],
  albedo: new Array(Math.floor(positions.length / 9)).fill(1),
});

/** Points drawn at random from the file's own, normalised like all clouds. */
function drawnCloud(positions: number[], random: Random): Float32Array {
  const total = positions.length / 3;
  const cloud = new Float64Array(3 * POINTS); // large coordinates need 64 bits until they are centred
  for (let i = 0; i < POINTS; i++) {
    const from = 3 * random.integer(total);
    for (let axis = 0; axis < 3; axis++) cloud[3 * i + axis] = positions[from + axis];
  }
  return normalizeCloud(cloud);
}

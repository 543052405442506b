/** Meshes and clouds of the visitor's as the encoders know objects: a cloud, z up, centred, its longest side 1. */
import { Random } from 'romo';
import { type Mesh, normalizeCloud, normalizeMesh, samplePoints, turn } from 'romo/data';
import type { Corners } from './parse.ts';

/** As many as the clouds of the built-in shapes have. */
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
    throw new Error(`${name} holds no object: ${positions.length / 3} corners. Export it again with its geometry.`);
  }
  const random = new Random(1, 'mesh', name);
  if (!isMesh) return drawnCloud(positions, random);
  return samplePoints(normalizeMesh(meshOf(positions)), POINTS, random);
}

/** Turned so that z is up. */
function upright(corners: Corners, up: 'y' | 'z'): Corners {
  if (up === 'z') return corners;
  return { ...corners, positions: turn(meshOf(corners.positions), 'x', 90).positions };
}

/** Sampling and turning look at positions and areas only. */
const meshOf = (positions: number[]): Mesh => ({
  positions,
  normals: [],
  albedo: new Array(Math.floor(positions.length / 9)).fill(1),
});

/** Points drawn from the file's own, with the place and scale of all clouds. */
function drawnCloud(positions: number[], random: Random): Float32Array {
  const total = positions.length / 3;
  const cloud = new Float32Array(3 * POINTS);
  for (let i = 0; i < POINTS; i++) {
    const from = 3 * random.integer(total);
    for (let axis = 0; axis < 3; axis++) cloud[3 * i + axis] = positions[from + axis];
  }
  return normalizeCloud(cloud);
}

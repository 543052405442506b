/** Meshes and clouds of the visitor's as the encoders know objects: a cloud, z up, centred, its longest side 1. */
import { Random } from 'romo';
import { type Mesh, normalizeMesh, samplePoints, turn } from 'romo/data';
import type { Corners } from './parse.ts';

/** As many as the clouds of the built-in shapes have. */
const POINTS = 1024;

/**
 * @param up the axis that points up in the file
 * @returns [POINTS, 3]
 * @throws where the file is no good; the message names it
 */
export async function readMesh(bytes: Uint8Array, name: string, up: 'y' | 'z'): Promise<Float32Array> {
  const { parseCorners } = await import('./parse.ts'); // few visitors bring meshes
  const { positions, isMesh } = upright(await parseCorners(bytes, name), up);
  if (positions.length < 9 || !positions.every(Number.isFinite)) {
    throw new Error(`${name} holds no object: ${positions.length / 3} corners. Export it again with its geometry.`);
  }
  const random = new Random(1, 'mesh', name);
  if (!isMesh) return normalizedCloud(positions, random);
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

/** Points drawn from the file's own, the mean at the origin, divided by the longest side. */
function normalizedCloud(positions: number[], random: Random): Float32Array {
  const total = positions.length / 3;
  const cloud = Float32Array.from({ length: 3 * POINTS });
  for (let i = 0; i < POINTS; i++) {
    const from = 3 * random.integer(total);
    for (let axis = 0; axis < 3; axis++) cloud[3 * i + axis] = positions[from + axis];
  }
  const axes = [0, 1, 2].map((axis) => {
    const values = cloud.filter((_, i) => i % 3 === axis);
    const mean = values.reduce((sum, value) => sum + value, 0) / POINTS;
    const range = values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b));
    return { mean, range };
  });
  const longest = Math.max(...axes.map(({ range }) => range)) || 1;
  return cloud.map((value, i) => (value - axes[i % 3].mean) / longest);
}

/** Meshes of the visitor's as the encoders know objects: a cloud, z up, centred, its longest side 1. */
import { Random } from 'romo';

/** Placeholder until the parsers are there. */
export function readMesh(_bytes: Uint8Array, name: string, _up: 'y' | 'z'): Float32Array {
  const random = new Random(1, name);
  return Float32Array.from({ length: 3 * 1024 }, () => random.uniform(-0.5, 0.5));
}

/** Entries for the tests of galleries. */
import type { ModelStamp } from '../../src/search/gallery.ts';
import { hashUniform } from './fixture.ts';

export const STAMP: ModelStamp = { sha256: 'a'.repeat(64), stage: 'rdl', dimension: 16 };

/** A unit vector [16] of four numbers, each 0.5 or -0.5: products are exact in f32 and ties are frequent. */
export function blockVector(seed: number): Float32Array {
  const vector = new Float32Array(16);
  const draws = hashUniform(`vector ${seed}`, 8);
  for (let i = 0; i < 4; i++) {
    const place = 4 * i + (Math.floor(2 * (draws[i] + 1)) % 4);
    vector[place] = draws[4 + i] < 0 ? -0.5 : 0.5;
  }
  return vector;
}

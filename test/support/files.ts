/** Files for the tests of the readers: those in test/files, and the errors that bad ones must cause. */
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import type { Geometry } from '../../src/files/geometry.ts';
import { RomoError } from '../../src/tensor/error.ts';

export const filePath = (name: string) => `test/files/${name}`;

export const fileBytes = (name: string) => new Uint8Array(readFileSync(filePath(name)));

export const textBytes = (text: string) => new TextEncoder().encode(text);

/** Fails unless an attempt throws a RomoError `file` whose message matches the pattern and which has a fix. */
export async function rejects(attempt: () => unknown, pattern: RegExp): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    assert.instance(error, RomoError, String(error));
    assert.is((error as RomoError).code, 'file');
    assert.match((error as RomoError).message, pattern);
    assert.ok((error as RomoError).fix.length > 0, `no way out: ${(error as RomoError).message}`);
    return;
  }
  assert.unreachable(`nothing was thrown, expected ${pattern}`);
}

/** Sum of the triangles' areas, in squared units of the file; 0 for clouds. */
export function surfaceArea({ positions, triangles }: Pick<Geometry, 'positions' | 'triangles'>): number {
  let sum = 0;
  for (let t = 0; triangles && t < triangles.length; t += 3) {
    const [a, b, c] = triangles.subarray(t, t + 3).map((vertex) => 3 * vertex);
    const [ux, uy, uz] = [0, 1, 2].map((axis) => positions[b + axis] - positions[a + axis]);
    const [vx, vy, vz] = [0, 1, 2].map((axis) => positions[c + axis] - positions[a + axis]);
    sum += Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx) / 2;
  }
  return sum;
}

/** Files for the tests of the readers: those in test/files, and the errors that bad ones must cause. */
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { prepareImage } from '../../src/data/prepare.ts';
import type { Geometry } from '../../src/files/geometry.ts';
import { type Picture, readImage } from '../../src/files/image.ts';
import { RomoError } from '../../src/tensor/error.ts';

export const filePath = (name: string) => `test/files/${name}`;

export const fileBytes = (name: string) => new Uint8Array(readFileSync(filePath(name)));

export const textBytes = (text: string) => new TextEncoder().encode(text);

interface ImageOptions {
  readonly size: number;
  readonly channels: 1 | 3;
  readonly background?: number;
}

/** A picture as networks see it. */
export const fitted = ({ data, width, height }: Picture, { size, channels, background = 1 }: ImageOptions) =>
  prepareImage(data, [height, width, 3], { imageSize: size, channels, background });

export const readFitted = async (path: string, options: ImageOptions): Promise<Float32Array> =>
  fitted(await readImage(path, options.background), options);

/** A valid GLB around a document. */
export function glb(document: unknown, binary = new Uint8Array(36)): Uint8Array {
  const json = textBytes(JSON.stringify(document));
  const file = new Uint8Array(28 + json.length + binary.length);
  const view = new DataView(file.buffer);
  [0x46546c67, 2, file.length, json.length, 0x4e4f534a].forEach((value, i) => {
    view.setUint32(4 * i, value, true);
  });
  file.set(json, 20);
  view.setUint32(20 + json.length, binary.length, true);
  view.setUint32(24 + json.length, 0x004e4942, true);
  file.set(binary, 28 + json.length);
  return file;
}

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

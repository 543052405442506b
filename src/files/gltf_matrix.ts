/** Transforms of glTF nodes: 4 x 4 matrices in glTF's column-major order. */
import type { JsonObject, JsonReader } from './json.ts';

export type Matrix = readonly number[];

export const IDENTITY: Matrix = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

/** A node's local matrix: stored directly, or as translation * rotation * scale. */
export function nodeMatrix(json: JsonReader, node: JsonObject, what: string): Matrix {
  if (node.matrix !== undefined) return json.numbers(node.matrix, `matrix of ${what}`, IDENTITY);
  const [tx, ty, tz] = json.numbers(node.translation, `translation of ${what}`, [0, 0, 0]);
  const [x, y, z, w] = json.numbers(node.rotation, `rotation of ${what}`, [0, 0, 0, 1]); // unit quaternion
  const [sx, sy, sz] = json.numbers(node.scale, `scale of ${what}`, [1, 1, 1]);
  const column = (scale: number, a: number, b: number, c: number) => [scale * a, scale * b, scale * c, 0];
  return [
    ...column(sx, 1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)),
    ...column(sy, 2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w)),
    ...column(sz, 2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)),
    ...[tx, ty, tz, 1],
  ];
}

/** a * b: b is applied first. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  return IDENTITY.map((_, i) => {
    const [row, column] = [i % 4, i - (i % 4)];
    let sum = 0;
    for (let k = 0; k < 4; k++) sum += a[row + 4 * k] * b[column + k];
    return sum;
  });
}

export function transform(m: Matrix, x: number, y: number, z: number): [number, number, number] {
  return [
    m[0] * x + m[4] * y + m[8] * z + m[12],
    m[1] * x + m[5] * y + m[9] * z + m[13],
    m[2] * x + m[6] * y + m[10] * z + m[14],
  ];
}

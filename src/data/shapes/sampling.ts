/** Samples point clouds from meshes: independent points, uniform over the surface. */
import type { Random } from '../../tensor/random.ts';
import { type Surface, triangleAreas } from './mesh.ts';

/**
 * Draws `count` points: a triangle with probability proportional to its area, then a point uniform within it.
 * @returns [count, 3]
 */
export function samplePoints(mesh: Surface, count: number, random: Random): Float32Array {
  const cumulative = triangleAreas(mesh);
  for (let i = 1; i < cumulative.length; i++) cumulative[i] += cumulative[i - 1];
  const total = cumulative[cumulative.length - 1];
  const cloud = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    const corner = 9 * firstAbove(cumulative, random.uniform() * total);
    // Two uniform numbers cover a parallelogram; folding its far half over the near one gives the triangle.
    let u = random.uniform();
    let v = random.uniform();
    if (u + v > 1) {
      u = 1 - u;
      v = 1 - v;
    }
    for (let axis = 0; axis < 3; axis++) {
      const a = mesh.positions[corner + axis];
      const b = mesh.positions[corner + 3 + axis];
      const c = mesh.positions[corner + 6 + axis];
      cloud[3 * i + axis] = a + u * (b - a) + v * (c - a);
    }
  }
  return cloud;
}

/** Index of the first element of an ascending list that is greater than the value (bisection). */
function firstAbove(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

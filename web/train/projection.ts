/** Principal axes by power iteration, started from the previous axes so that the map does not jump. */

export type Axes = readonly [Float64Array, Float64Array];

const ITERATIONS = 40;

/** Projects rows [n, d] to two dimensions. @returns positions [n, 2] in about -1..1, and the axes */
export function project(
  rows: Float32Array,
  dimension: number,
  before: Axes | null,
): { positions: Float32Array; axes: Axes } {
  const count = rows.length / dimension;
  const mean = new Float64Array(dimension);
  rows.forEach((value, i) => {
    mean[i % dimension] += value / count;
  });
  const centred = Float64Array.from(rows, (value, i) => value - mean[i % dimension]);
  const start = (axis: number) =>
    before?.[axis].length === dimension
      ? before[axis].slice()
      : Float64Array.from({ length: dimension }, (_, c) => Math.sin(1 + axis * 7 + c * (axis + 1.3)));
  const first = principal(centred, dimension, start(0), null);
  const second = principal(centred, dimension, start(1), first);
  const positions = new Float32Array(2 * count);
  let reach = 1e-9;
  for (let row = 0; row < count; row++) {
    for (const [axis, vector] of [first, second].entries()) {
      let dot = 0;
      for (let c = 0; c < dimension; c++) dot += centred[row * dimension + c] * vector[c];
      positions[2 * row + axis] = dot;
      reach = Math.max(reach, Math.abs(dot));
    }
  }
  return { positions: positions.map((value) => value / reach), axes: [first, second] };
}

function principal(
  rows: Float64Array,
  dimension: number,
  start: Float64Array,
  other: Float64Array | null,
): Float64Array {
  let axis = unit(start, other);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const next = new Float64Array(dimension);
    for (let at = 0; at < rows.length; at += dimension) {
      let dot = 0;
      for (let c = 0; c < dimension; c++) dot += rows[at + c] * axis[c];
      for (let c = 0; c < dimension; c++) next[c] += dot * rows[at + c];
    }
    axis = unit(next, other);
  }
  return axis;
}

/** Makes the vector orthogonal to `other` and scales it to unit length. */
function unit(vector: Float64Array, other: Float64Array | null): Float64Array {
  const along = other ? vector.reduce((sum, value, c) => sum + value * other[c], 0) : 0;
  const rest = other ? vector.map((value, c) => value - along * other[c]) : vector;
  const length = Math.max(Math.sqrt(rest.reduce((sum, value) => sum + value * value, 0)), 1e-12);
  return rest.map((value) => value / length);
}

/** Inputs and weights that each implementation generates itself: integer hashes of names, the same bits everywhere. */

function fnv1a32(text) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** The finaliser of 32-bit murmur3. */
export function fmix32(value) {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

export const sizeOf = (shape) => shape.reduce((product, length) => product * length, 1);

/** f32 in [-scale, scale) + shift, determined by name and index alone. */
export function hashUniform(name, shape, scale = 1, shift = 0) {
  const key = fnv1a32(name);
  const values = new Float32Array(sizeOf(shape));
  for (let i = 0; i < values.length; i++) values[i] = shift + scale * ((fmix32(key ^ i) >>> 8) / 2 ** 23 - 1);
  return values;
}

/** A weight in PyTorch's layout: matrices scaled by fan-in, batch-norm scales around 1, biases around 0. */
export function hashWeights(name, shape) {
  if (shape.length >= 2) return hashUniform(name, shape, Math.sqrt(3 / sizeOf(shape.slice(1))));
  return hashUniform(name, shape, 0.25, name.endsWith('weight') ? 1 : 0);
}

/** Class indices 0 .. classes - 1. */
export function hashLabels(name, count, classes) {
  const key = fnv1a32(name);
  return Int32Array.from({ length: count }, (_, i) => fmix32(key ^ i) % classes);
}

export function oneHot(labels, classes) {
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => {
    rows[row * classes + label] = 1;
  });
  return rows;
}

/** `k` distinct neighbours per point: itself, then points at multiples of a stride that varies from point to point. */
export function hashNeighbours({ batch, points, k }) {
  const neighbours = new Int32Array(batch * points * k);
  for (let row = 0; row < batch * points; row++) {
    const point = row % points;
    const stride = 2 * (fmix32(row) % (points / 4)) + 1; // odd: coprime to a power of two
    for (let j = 0; j < k; j++) neighbours[row * k + j] = (point + j * stride) % points;
  }
  return neighbours;
}

/** Scales rows to length 1, in place. */
export function unitRows(values, columns) {
  for (let start = 0; start < values.length; start += columns) {
    let squares = 0;
    for (let c = 0; c < columns; c++) squares += values[start + c] ** 2;
    const inverse = 1 / Math.sqrt(squares);
    for (let c = 0; c < columns; c++) values[start + c] *= inverse;
  }
  return values;
}

/** Reorders axes: result axis a is axis `order[a]` of `data`. */
export function permute(data, shape, order) {
  const strides = order.map((axis) => sizeOf(shape.slice(axis + 1)));
  const lengths = order.map((axis) => shape[axis]);
  const counter = order.map(() => 0);
  const result = new data.constructor(data.length);
  for (let out = 0, source = 0; out < data.length; out++) {
    result[out] = data[source];
    for (let axis = order.length - 1; axis >= 0; axis--) {
      source += strides[axis];
      if (++counter[axis] < lengths[axis]) break;
      source -= strides[axis] * lengths[axis];
      counter[axis] = 0;
    }
  }
  return result;
}

export const TO_CHANNELS_LAST = [0, 2, 3, 1];
export const TO_CHANNELS_FIRST = [0, 3, 1, 2];
/** PyTorch's weights [out, in, height, width] -> [height, width, in, out]. */
export const TO_HWIO = [2, 3, 1, 0];
export const TO_OIHW = [3, 2, 0, 1];

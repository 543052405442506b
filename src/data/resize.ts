/** Resizes images: bilinear when enlarging, a triangle filter widened to the covered area when shrinking. */

/** Values 0..1, or bytes 0..255 that stand for them. */
export type Pixels = Float32Array | Uint8Array | Uint8ClampedArray;

/**
 * @param image [height, width, channels]
 * @returns [size, size, channels], stretched where the image is not square
 */
export function resizeImage(
  image: Float32Array,
  [height, width, channels]: readonly [number, number, number],
  size: number,
): Float32Array {
  if (height === size && width === size) return image.slice();
  return resample(image, [height, width, channels], triangleWeights(height, size), triangleWeights(width, size), 0);
}

/**
 * Scales to fit into a square, centred on a background, without stretching or cropping.
 * @param image [height, width, channels]
 * @param background value 0..1 of the margins
 * @returns [size, size, channels], values 0..1
 */
export function fitImage(
  image: Pixels,
  [height, width, channels]: readonly [number, number, number],
  size: number,
  background: number,
): Float32Array {
  const side = Math.max(height, width);
  const weights = triangleWeights(side, size);
  const shifted = (by: number) => weights.map(({ first, weights: own }) => ({ first: first - by, weights: own }));
  const [rows, columns] = [shifted((side - height) >> 1), shifted((side - width) >> 1)];
  return resample(image, [height, width, channels], rows, columns, background);
}

/** The input pixels that an output pixel reads: from `first` on, with weights that sum to 1. */
interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

/** Pixels outside of the image have the background's value. */
function resample(
  image: Pixels,
  [height, width, channels]: readonly [number, number, number],
  rows: readonly Taps[],
  columns: readonly Taps[],
  background: number,
): Float32Array {
  const meaning = valuesOf(image);
  const rowLength = columns.length * channels;
  /** Row y of the image with its new width; a row of background where y is outside. */
  const narrowed = (y: number): Float32Array => {
    const row = new Float32Array(rowLength);
    columns.forEach(({ first, weights }, x) => {
      for (let tap = 0; tap < weights.length; tap++) {
        const source = first + tap;
        const isInside = y >= 0 && y < height && source >= 0 && source < width;
        for (let c = 0; c < channels; c++) {
          const value = isInside ? meaning(image[(y * width + source) * channels + c]) : background;
          row[x * channels + c] += weights[tap] * value;
        }
      }
    });
    return row;
  };
  const inside = Array.from({ length: height }, (_, y) => narrowed(y));
  const margin = narrowed(-1);
  const result = new Float32Array(rows.length * rowLength);
  rows.forEach(({ first, weights }, y) => {
    weights.forEach((weight, tap) => {
      const row = inside[first + tap] ?? margin;
      for (let i = 0; i < rowLength; i++) result[y * rowLength + i] += weight * row[i];
    });
  });
  return result;
}

const BYTES = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

const valuesOf = (image: Pixels): ((value: number) => number) =>
  image instanceof Float32Array ? (value) => value : (value) => BYTES[value];

/** For each of `to` output pixels, what it reads of `from` input pixels. */
function triangleWeights(from: number, to: number): Taps[] {
  const scale = from / to;
  const radius = Math.max(1, scale);
  return Array.from({ length: to }, (_, target) => {
    const centre = (target + 0.5) * scale;
    const weightOf = (source: number) => 1 - Math.abs(source + 0.5 - centre) / radius;
    let first = Math.max(0, Math.floor(centre - radius - 0.5));
    while (weightOf(first) <= 0) first++;
    const taken: number[] = [];
    for (let source = first; source < from && weightOf(source) > 0; source++) taken.push(weightOf(source));
    const total = taken.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: Float64Array.from(taken, (weight) => weight / total) };
  });
}

/** Resizes images: bilinear when enlarging, a triangle filter widened to the covered area when shrinking. */

/**
 * @param image [height, width, channels]
 * @returns [size, size, channels]
 */
export function resizeImage(
  image: Float32Array,
  [height, width, channels]: readonly [number, number, number],
  size: number,
): Float32Array {
  if (height === size && width === size) return image.slice();
  const rows = triangleWeights(height, size);
  const columns = triangleWeights(width, size);
  const narrowed = new Float32Array(height * size * channels); // [height, size, channels]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < size; x++) {
      for (const [source, weight] of columns[x]) {
        for (let c = 0; c < channels; c++) {
          narrowed[(y * size + x) * channels + c] += weight * image[(y * width + source) * channels + c];
        }
      }
    }
  }
  const result = new Float32Array(size * size * channels);
  const rowLength = size * channels;
  for (let y = 0; y < size; y++) {
    for (const [source, weight] of rows[y]) {
      for (let i = 0; i < rowLength; i++) result[y * rowLength + i] += weight * narrowed[source * rowLength + i];
    }
  }
  return result;
}

/** For each of `to` output pixels, the `from` input pixels that it reads and their weights, which sum to 1. */
function triangleWeights(from: number, to: number): [number, number][][] {
  const scale = from / to;
  const radius = Math.max(1, scale);
  return Array.from({ length: to }, (_, target) => {
    const centre = (target + 0.5) * scale;
    const taken: [number, number][] = [];
    for (let source = 0; source < from; source++) {
      const weight = 1 - Math.abs(source + 0.5 - centre) / radius;
      if (weight > 0) taken.push([source, weight]);
    }
    const total = taken.reduce((sum, [, weight]) => sum + weight, 0);
    return taken.map(([source, weight]): [number, number] => [source, weight / total]);
  });
}

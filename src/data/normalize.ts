/** Normalises clouds: longest side 1, mean at the origin. */

/**
 * @param cloud [P, 3], at least two distinct points
 * @returns [P, 3], divided by the range of the longest axis, with mean zero
 */
export function normalizeCloud(cloud: ArrayLike<number>): Float32Array {
  const count = cloud.length / 3;
  const mean = [0, 0, 0];
  let range = 0;
  for (let axis = 0; axis < 3; axis++) {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (let i = axis; i < cloud.length; i += 3) {
      low = Math.min(low, cloud[i]);
      high = Math.max(high, cloud[i]);
      sum += cloud[i];
    }
    mean[axis] = sum / count;
    range = Math.max(range, high - low);
  }
  const normalized = new Float32Array(cloud.length); // a loop, because `from` takes ten times as long
  for (let i = 0; i < normalized.length; i++) normalized[i] = (cloud[i] - mean[i % 3]) / range;
  return normalized;
}

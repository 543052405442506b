/** Lloyd's k-means in float64. */

/**
 * The nearest centroid of each row by squared distance, ties to the lower index.
 * @param x [rows, channels]
 * @param centroids [k, channels]
 */
export function assign(x: ArrayLike<number>, centroids: ArrayLike<number>, channels: number): Int32Array {
  const labels = new Int32Array(x.length / channels);
  for (let row = 0; row < labels.length; row++) {
    let nearest = Number.POSITIVE_INFINITY;
    for (let cluster = 0; cluster < centroids.length / channels; cluster++) {
      let distance = 0;
      for (let c = 0; c < channels; c++) distance += (x[row * channels + c] - centroids[cluster * channels + c]) ** 2;
      if (distance < nearest) {
        nearest = distance;
        labels[row] = cluster;
      }
    }
  }
  return labels;
}

/**
 * `iterations` rounds of assignment and mean; a cluster without rows keeps its centroid.
 * @returns the last centroids [k, channels] and the labels that they give the rows
 */
export function kmeans(
  x: ArrayLike<number>,
  initial: ArrayLike<number>,
  channels: number,
  iterations: number,
): { centroids: Float64Array; labels: Int32Array } {
  const centroids = Float64Array.from(initial);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const labels = assign(x, centroids, channels);
    const sums = new Float64Array(centroids.length);
    const counts = new Float64Array(centroids.length / channels);
    labels.forEach((cluster, row) => {
      counts[cluster] += 1;
      for (let c = 0; c < channels; c++) sums[cluster * channels + c] += x[row * channels + c];
    });
    for (let i = 0; i < sums.length; i++) {
      const count = counts[Math.floor(i / channels)];
      if (count > 0) centroids[i] = sums[i] / count;
    }
  }
  return { centroids, labels: assign(x, centroids, channels) };
}

/** The k nearest points by squared distance, in float64: itself included, nearest first, ties to the lower index. */

/** x [B, N, C] -> indices [B, N, k] */
export function knn(x: ArrayLike<number>, [batch, points, channels]: readonly number[], k: number): Int32Array {
  const neighbours = new Int32Array(batch * points * k);
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < points; i++) {
      const distances = new Float64Array(points);
      for (let j = 0; j < points; j++) {
        for (let c = 0; c < channels; c++) {
          distances[j] += (x[(n * points + i) * channels + c] - x[(n * points + j) * channels + c]) ** 2;
        }
      }
      const order = Array.from(distances.keys()).sort((a, b) => distances[a] - distances[b] || a - b);
      neighbours.set(order.slice(0, k), (n * points + i) * k);
    }
  }
  return neighbours;
}

/** The k rows of a gallery with the largest dot product with each query, in float64; ties go to the lower row. */

/** gallery [G, d], queries [Q, d] -> rows [Q, k], filled up with -1, and their scores */
export function search(gallery: ArrayLike<number>, queries: ArrayLike<number>, dimension: number, k: number) {
  const [count, asked] = [gallery.length / dimension, queries.length / dimension];
  const rows = new Int32Array(asked * k).fill(-1);
  const scores = new Float64Array(asked * k).fill(Number.NEGATIVE_INFINITY);
  for (let query = 0; query < asked; query++) {
    const products = Array.from({ length: count }, (_, row) => {
      let sum = 0;
      for (let c = 0; c < dimension; c++) sum += gallery[row * dimension + c] * queries[query * dimension + c];
      return sum;
    });
    const order = [...products.keys()].sort((a, b) => products[b] - products[a] || a - b).slice(0, k);
    order.forEach((row, slot) => {
      rows[query * k + slot] = row;
      scores[query * k + slot] = products[row];
    });
  }
  return { rows, scores };
}

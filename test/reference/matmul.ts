/** Matrix product in float64, by its definition. */

export interface MatmulSizes {
  readonly batch?: number;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * @param a [batch, rows, inner], or [batch, inner, rows] where transposed
 * @param b [batch, inner, columns], or [batch, columns, inner] where transposed
 * @returns [batch, rows, columns]
 */
export function matmul(a: ArrayLike<number>, b: ArrayLike<number>, sizes: MatmulSizes): Float64Array {
  const { batch = 1, rows, inner, columns, transposeA = false, transposeB = false } = sizes;
  const y = new Float64Array(batch * rows * columns);
  for (let n = 0; n < batch; n++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        let sum = 0;
        for (let i = 0; i < inner; i++) {
          const atA = transposeA ? i * rows + row : row * inner + i;
          const atB = transposeB ? column * inner + i : i * columns + column;
          sum += a[n * rows * inner + atA] * b[n * inner * columns + atB];
        }
        y[(n * rows + row) * columns + column] = sum;
      }
    }
  }
  return y;
}

/**
 * Matrix product, also of batches of matrices: y = A B with A, B optionally transposed.
 * dA = dY B^T, dB = A^T dY. Cost: 2 M N K operations forward, twice that backward.
 * Kernels: the backend's `multiply`; the reference kernel is in shaders/matmul.wgsl. Float64 reference: test/reference/matmul.ts.
 */
import type { Product } from '../backends/backend.ts';
import { shapeError } from '../tensor/error.ts';
import { bindable, windows } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { columnSums, sumOfWindows } from './elementary.ts';
import { differentiable } from './tape.ts';

export interface MatmulOptions {
  /** a is stored as [K, M]; default false */
  transposeA?: boolean;
  /** b is stored as [N, K]; default false */
  transposeB?: boolean;
}

function productOf(a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions): Product {
  const [rows, inner] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
  const [innerB, columns] = transposeB ? b.shape.slice(-2).reverse() : b.shape.slice(-2);
  const batches = Math.max(a.shape.length === 3 ? a.shape[0] : 1, b.shape.length === 3 ? b.shape[0] : 1);
  const fits = ({ shape }: Tensor) => shape.length === 2 || (shape.length === 3 && shape[0] === batches);
  if (!fits(a) || !fits(b)) {
    throw shapeError('matmul', 'axes do not fit', { a, b }, 'Pass [M, K] or [batch, M, K].');
  }
  if (inner !== innerB) {
    const flags = `${transposeA ? ', a transposed' : ''}${transposeB ? ', b transposed' : ''}`;
    const rule = 'a must have as many columns as b has rows.';
    throw shapeError('matmul', `inner sizes ${inner} and ${innerB} differ${flags}`, { a, b }, rule);
  }
  const aBatch = a.shape.length === 3 ? rows * inner : 0;
  const bBatch = b.shape.length === 3 ? inner * columns : 0;
  return { batches, rows, columns, inner, aBatch, bBatch, transposeA, transposeB };
}

/**
 * The product itself, without a gradient. a [M, K] or [batch, M, K], b likewise; a 2-d argument serves every batch.
 * @param options `into`: where the product goes; a new tensor when absent
 */
export function product(a: Tensor, b: Tensor, options: MatmulOptions & { into?: Tensor }): Tensor {
  const { gpu } = a;
  const whole = productOf(a, b, options);
  const { batches, rows, columns, inner, aBatch, bBatch, transposeA, transposeB } = whole;
  const shape = a.shape.length === 3 || b.shape.length === 3 ? [batches, rows, columns] : [rows, columns];
  if (!options.into && batches === 1 && transposeA && !transposeB && !bindable(gpu, a, b)) {
    // The long axis is the one that is summed over: cut there, and add up.
    return sumOfWindows(gpu, { a, b }, { items: inner, per: { a: rows, b: columns } }, ({ tensors, count }) => {
      const out = gpu.empty(shape);
      gpu.backend.multiply(tensors.a, tensors.b, out, { ...whole, inner: count });
      return out;
    });
  }
  const out = options.into ?? gpu.empty(shape);
  // Cut between batches or, if there is but one, between rows; a transposed a has no rows to cut.
  const along = batches > 1 ? 'batches' : 'rows';
  const perBatch: Record<string, number> = {
    out: rows * columns,
    ...(aBatch && { a: aBatch }),
    ...(bBatch && { b: bBatch }),
  };
  const perRow: Record<string, number> = transposeA ? { out: out.size } : { a: inner, out: columns };
  const items = batches > 1 ? batches : transposeA ? 1 : rows;
  for (const { tensors, count } of windows(gpu, { a, b, out }, { items, per: batches > 1 ? perBatch : perRow })) {
    const counted = items === 1 ? {} : { [along]: count };
    gpu.backend.multiply(tensors.a, tensors.b, tensors.out, { ...whole, ...counted });
  }
  return out;
}

const op = differentiable({
  name: 'matmul',
  forward({ a, b }: { a: Tensor; b: Tensor }, options: MatmulOptions) {
    return { output: product(a, b, options) };
  },
  backward(grad, { inputs: { a, b }, options: { transposeA, transposeB } }) {
    // The gradient of A^T is (dA)^T: the factors change places.
    const aGradient = () =>
      transposeA
        ? product(b, grad, { transposeA: transposeB, transposeB: true })
        : product(grad, b, { transposeB: !transposeB });
    const bGradient = () =>
      transposeB
        ? product(grad, a, { transposeA: true, transposeB: transposeA })
        : product(a, grad, { transposeA: !transposeA });
    return { a: () => sharedBatch(a, aGradient()), b: () => sharedBatch(b, bGradient()) };
  },
});

/** A 2-d argument that served every batch receives the sum of their gradients. */
function sharedBatch(of: Tensor, gradient: Tensor): Tensor {
  if (gradient.shape.length === of.shape.length) return gradient;
  return columnSums(gradient, 1, of.size).view(of.shape);
}

/**
 * y = A B: a [M, K] times b [K, N] -> [M, N], with a leading batch axis on either or both. `transposeA` takes a as [K, M],
 * `transposeB` takes b as [N, K]. Throws `shape` if the inner sizes differ.
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  return op({ a, b }, options);
}

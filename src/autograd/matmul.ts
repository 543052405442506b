/**
 * Matrix product, also of batches of matrices: y = A B with A, B optionally transposed.
 * dA = dY B^T, dB = A^T dY. Cost: 2 M N K operations.
 */
import source from '../shaders/matmul.wgsl';
import subgroupSource from '../shaders/matmul_subgroups.wgsl';
import transposeSource from '../shaders/transpose.wgsl';
import { RomoError } from '../tensor/error.ts';
import { kernel, program } from '../tensor/kernel.ts';
import { bindable, type Cut, parts } from '../tensor/parts.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { accumulate, columnSums } from './elementary.ts';
import { differentiable } from './tape.ts';

const matmulProgram = program('matmul', source);
const scalarKernel = kernel(matmulProgram, 'scalar');
const tilesKernel = kernel(matmulProgram, 'tiles');
const tilesTransposedAKernel = kernel(matmulProgram, 'tilesTransposedA');
const subgroupProgram = program('matmul_subgroups', subgroupSource);
const subgroupTilesKernel = kernel(subgroupProgram, 'tiles', {}, 8);
const subgroupTransposedAKernel = kernel(subgroupProgram, 'tilesTransposedA', {}, 8);
const transposeKernel = kernel(program('transpose', transposeSource), 'transpose');

export interface MatmulOptions {
  transposeA?: boolean;
  transposeB?: boolean;
}

/** x [..., rows, columns] -> [..., columns, rows], copied. */
export function transposed(x: Tensor): Tensor {
  const [rows, columns] = x.shape.slice(-2);
  const out = x.gpu.empty([...x.shape.slice(0, -2), columns, rows]);
  x.gpu.dispatch(transposeKernel, { x, out }, { count: x.size, rows, columns }, x.size);
  return out;
}

/** How many parts a sum of `inner` terms is cut into, so that `tiles` invocations become enough to fill the machine. */
export function splitsFor(software: boolean, tiles: number, inner: number): number {
  const wanted = Math.ceil((software ? 32 : 32768) / tiles);
  const longest = Math.ceil(inner / 256); // shorter parts cost more in the second pass than they gain
  return Math.max(1, Math.min(wanted, longest, 256));
}

/** The product itself, without a gradient. a [M, K] or [batch, M, K], b likewise; a 2-d argument serves every batch. */
export function product(a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions): Tensor {
  const { gpu } = a;
  const [rows, inner] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
  const [innerB, columns] = transposeB ? b.shape.slice(-2).reverse() : b.shape.slice(-2);
  const batches = Math.max(a.shape.length === 3 ? a.shape[0] : 1, b.shape.length === 3 ? b.shape[0] : 1);
  const batchesDiffer = [a, b].some((t) => t.shape.length === 3 && t.shape[0] !== batches);
  if (a.shape.length < 2 || a.shape.length > 3 || b.shape.length < 2 || b.shape.length > 3 || batchesDiffer) {
    throw new RomoError('shape', `matmul: a is [${a.shape}], b is [${b.shape}]`, 'Pass [M, K] or [batch, M, K].');
  }
  if (inner !== innerB) {
    const flags = `${transposeA ? ', a transposed' : ''}${transposeB ? ', b transposed' : ''}`;
    throw new RomoError(
      'shape',
      `matmul: inner sizes differ: a is [${a.shape}], b is [${b.shape}]${flags}`,
      'The columns of a must be as many as the rows of b.',
    );
  }
  const shape = a.shape.length === 3 || b.shape.length === 3 ? [batches, rows, columns] : [rows, columns];
  const geometry: Geometry = {
    batches,
    rows,
    columns,
    inner,
    aBatch: a.shape.length === 3 ? rows * inner : 0,
    bBatch: b.shape.length === 3 ? inner * columns : 0,
    transposeA,
    transposeB,
  };
  if (batches === 1 && transposeA && !transposeB && !bindable(gpu, a, b)) {
    // The long axis is the one that is summed over: cut there, and add up.
    let total: Tensor | null = null;
    for (const { tensors, count } of parts(gpu, { a, b }, { items: inner, per: { a: rows, b: columns } })) {
      const part = gpu.empty(shape);
      multiply(tensors.a, tensors.b, part, { ...geometry, inner: count });
      total = accumulate(total, part);
    }
    return total as Tensor;
  }
  const out = gpu.empty(shape);
  // Cut between batches or, if there is but one, between rows.
  const { aBatch, bBatch } = geometry;
  const byRows: Cut = transposeA
    ? { items: 1, per: { out: out.size } }
    : { items: rows, per: { a: inner, out: columns } };
  const byBatch = {
    items: batches,
    per: { out: rows * columns, ...(aBatch && { a: aBatch }), ...(bBatch && { b: bBatch }) },
  };
  for (const { tensors, count } of parts(gpu, { a, b, out }, batches > 1 ? byBatch : byRows)) {
    const part = batches > 1 ? { batches: count } : transposeA ? {} : { rows: count };
    multiply(tensors.a, tensors.b, tensors.out, { ...geometry, ...part });
  }
  return out;
}

interface Geometry {
  batches: number;
  rows: number;
  columns: number;
  inner: number;
  /** elements between the batches of a; 0 where all share one */
  aBatch: number;
  bBatch: number;
  transposeA: boolean;
  transposeB: boolean;
}

/** Launches the kernel that fits, on tensors that can be bound. */
function multiply(a: Tensor, b: Tensor, out: Tensor, { transposeA, transposeB, ...geometry }: Geometry): void {
  const { gpu } = a;
  const { batches, rows, columns, inner } = geometry;
  const wide = columns % 4 === 0 && (transposeA ? rows % 4 === 0 : inner % 4 === 0);
  const shared = gpu.sharesLoads;
  const tiles =
    batches * (shared ? Math.ceil(rows / 32) * Math.ceil(columns / 16) : Math.ceil(rows / 8) * Math.ceil(columns / 8));
  const splits = wide ? splitsFor(gpu.software, tiles, inner) : 1;
  const sizes = {
    ...geometry,
    splits,
    chunk: 4 * Math.ceil(inner / splits / 4),
    aRow: transposeA ? 1 : inner,
    aInner: transposeA ? rows : 1,
    bInner: transposeB ? 1 : columns,
    bColumn: transposeB ? inner : 1,
  };
  if (!wide) {
    gpu.dispatch(scalarKernel, { a, b, out }, sizes, out.size);
    return;
  }
  const b4 = transposeB ? transposed(b.view(geometry.bBatch ? [batches, columns, inner] : [columns, inner])) : b;
  const out4 = splits === 1 ? out : gpu.empty([batches, splits, rows, columns]);
  const [plain, transposedA] = shared
    ? [subgroupTilesKernel, subgroupTransposedAKernel]
    : [tilesKernel, tilesTransposedAKernel];
  const invocations = tiles * splits * (shared ? 8 : 1);
  gpu.dispatch(transposeA ? transposedA : plain, { a4: a, b4, out4 }, sizes, invocations);
  if (transposeB) b4.dispose();
  if (splits === 1) return;
  columnSums(out4, batches, rows * columns, 1, out);
  out4.dispose();
}

const op = differentiable<{ a: Tensor; b: Tensor }, MatmulOptions, Record<string, never>>({
  name: 'matmul',
  forward({ a, b }, options) {
    return { output: product(a, b, options), saved: {} };
  },
  backward(grad, { inputs: { a, b }, options: { transposeA, transposeB } }) {
    return {
      a: () =>
        sharedBatch(
          a,
          transposeA
            ? product(b, grad, { transposeA: transposeB, transposeB: true })
            : product(grad, b, { transposeB: !transposeB }),
        ),
      b: () =>
        sharedBatch(
          b,
          transposeB
            ? product(grad, a, { transposeA: true, transposeB: transposeA })
            : product(a, grad, { transposeA: !transposeA }),
        ),
    };
  },
});

/** A 2-d argument that served every batch receives the sum of their gradients. */
function sharedBatch(of: Tensor, gradient: Tensor): Tensor {
  if (gradient.shape.length === of.shape.length) return gradient;
  return columnSums(gradient, 1, of.size).view(of.shape);
}

/**
 * a [M, K] times b [K, N] -> [M, N]; with a leading batch axis on either or both. `transposeA` takes a as [K, M],
 * `transposeB` takes b as [N, K]. Throws `shape` where the inner sizes differ.
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  return op({ a, b }, options);
}

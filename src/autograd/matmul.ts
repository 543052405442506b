/**
 * Matrix product, also of batches of matrices: y = A B with A, B optionally transposed.
 * dA = dY B^T, dB = A^T dY. Cost: 2 M N K operations.
 */

import subgroupSource from '../backends/software/matmul_subgroups.wgsl';
import source from '../shaders/matmul.wgsl';
import productsSource from '../shaders/products.wgsl';
import transposeSource from '../shaders/transpose.wgsl';
import { RomoError } from '../tensor/error.ts';
import { kernel, program } from '../tensor/kernel.ts';
import { bindable, type Cut, parts } from '../tensor/launch.ts';
import type { Machine } from '../tensor/machine.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { accumulate, columnSums } from './elementary.ts';
import { differentiable } from './tape.ts';

const matmulProgram = program('matmul', source);
const scalarKernel = kernel(matmulProgram, 'scalar');
const subgroupProgram = program('matmul_subgroups', subgroupSource);

const tiles32Kernel = kernel(subgroupProgram, 'tiles32', {}, 8);
const tiles64Kernel = kernel(subgroupProgram, 'tiles64', {}, 8);
const tiles32TurnedKernel = kernel(subgroupProgram, 'tiles32Turned', {}, 8);
const tilesKernel = kernel(matmulProgram, 'tiles');
const tilesTransposedAKernel = kernel(matmulProgram, 'tilesTransposedA');
export const productsProgram = program('products', productsSource);
const productKernel = kernel(productsProgram, 'product');
/** What a product without a convolution says of images. */
const NO_IMAGE = {
  fromHeight: 0,
  fromWidth: 0,
  fromChannels: 0,
  toHeight: 0,
  toWidth: 0,
  kernelWidth: 0,
  multiplyY: 0,
  multiplyX: 0,
  divideY: 0,
  divideX: 0,
  tapSign: 0,
  offsetY: 0,
  offsetX: 0,
};
const transposeProgram = program('transpose', transposeSource);
const transposeKernel = kernel(transposeProgram, 'transpose');
const transpose4Kernel = kernel(transposeProgram, 'transpose4');

export interface MatmulOptions {
  transposeA?: boolean;
  transposeB?: boolean;
}

/** x [..., rows, columns] -> [..., columns, rows], copied; the new rows are filled up with zeros to a multiple of 4. */
export function transposed(x: Tensor): Tensor {
  const [rows, columns] = x.shape.slice(-2);
  const batches = x.size / (rows * columns);
  const out4 = x.gpu.empty([...x.shape.slice(0, -2), columns, 4 * Math.ceil(rows / 4)]);
  const sizes = { batches, rows, columns };
  const invocations = 64 * batches * Math.ceil(rows / 32) * Math.ceil(columns / 32);
  if (columns % 4 === 0) x.gpu.dispatch(transpose4Kernel, { x4: x, out4 }, sizes, invocations);
  else x.gpu.dispatch(transposeKernel, { x, out4 }, sizes, invocations);
  return out4;
}

/** How many parts a sum of `inner` terms is cut into, so that `tiles` become enough to fill the machine. */
export function splitsFor(machine: Machine, tiles: number, inner: number): number {
  const wanted = Math.ceil(machine.tiles / tiles);
  const longest = Math.ceil(inner / 256); // shorter parts cost more in the second pass than they gain
  return Math.max(1, Math.min(wanted, longest, 256));
}

/**
 * The product itself, without a gradient. a [M, K] or [batch, M, K], b likewise; a 2-d argument serves every batch.
 * @param options `into`: where the product goes; a new tensor when absent
 */
export function product(a: Tensor, b: Tensor, options: MatmulOptions & { into?: Tensor }): Tensor {
  const { transposeA = false, transposeB = false, into } = options;
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
  if (!into && batches === 1 && transposeA && !transposeB && !bindable(gpu, a, b)) {
    // The long axis is the one that is summed over: cut there, and add up.
    let total: Tensor | null = null;
    for (const { tensors, count } of parts(gpu, { a, b }, { items: inner, per: { a: rows, b: columns } })) {
      const part = gpu.empty(shape);
      multiply(tensors.a, tensors.b, part, { ...geometry, inner: count });
      total = accumulate(total, part);
    }
    return total as Tensor;
  }
  const out = into ?? gpu.empty(shape);
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

/** Launches the kernels that fit, on tensors that can be bound. */
function multiply(a: Tensor, b: Tensor, out: Tensor, geometry: Geometry): void {
  const { gpu } = a;
  const { batches, rows, columns, inner, aBatch, bBatch, transposeA, transposeB } = geometry;
  using _scope = gpu.scope();
  const turn = (x: Tensor, single: boolean, shape: number[]) =>
    transposed(x.view(single ? shape : [batches, ...shape]));
  const turnA = () => turn(a, aBatch === 0, [rows, inner]);
  const turnB = () => turn(b, bBatch === 0, [columns, inner]);
  const kind = gpu.machine.matmul;
  if (columns % 4 === 0 && kind === 'broadcast' && (!transposeA || rows % 4 === 0)) {
    const turned = transposeB && inner % 4 === 0;
    const steps = { a4: transposeA ? a : turnA(), b4: transposeB && !turned ? turnB() : b };
    const aStep = Math.ceil(rows / 4);
    const width = columns > 32 && !turned ? 64 : 32;
    const tilesOf = turned ? tiles32TurnedKernel : width === 64 ? tiles64Kernel : tiles32Kernel;
    const tiles = batches * Math.ceil(rows / 32) * Math.ceil(columns / width);
    inParts(out, geometry, tiles, (out4, cut) => {
      const sizes = {
        batches,
        rows,
        columns,
        inner,
        aBatch: aBatch && aStep * inner,
        bBatch: bBatch / 4,
        aStep,
        ...cut,
      };
      gpu.dispatch(tilesOf, { ...steps, out4 }, sizes, 8 * tiles * cut.splits);
    });
    return;
  }
  const wide = columns % 4 === 0 && (transposeA ? rows % 4 === 0 : inner % 4 === 0);
  const common = { batches, rows, columns, inner, aBatch, bBatch };
  if (!wide) {
    const strides = {
      aRow: transposeA ? 1 : inner,
      aInner: transposeA ? rows : 1,
      bInner: transposeB ? 1 : columns,
      bColumn: transposeB ? inner : 1,
    };
    gpu.dispatch(scalarKernel, { a, b, out }, { ...common, ...strides, splits: 1, chunk: inner }, out.size);
    return;
  }
  const staged = kind === 'workgroup';
  const turned = transposeB && !(staged && inner % 4 === 0);
  const b4 = turned ? turnB() : b;
  const tile = staged ? 64 : 8;
  const tiles = batches * Math.ceil(rows / tile) * Math.ceil(columns / tile);
  inParts(out, geometry, tiles, (out4, cut) => {
    if (staged) {
      const flags = { transposeA: Number(transposeA), transposeB: Number(transposeB && !turned) };
      const sizes = { ...common, ...cut, ...flags, ...NO_IMAGE };
      gpu.dispatch(productKernel, { a4: a, b4, out4 }, sizes, 64 * tiles * cut.splits);
    } else {
      const strides = { aRow: 0, aInner: 0, bInner: 0, bColumn: 0 }; // only the scalar kernel reads them
      const launched = transposeA ? tilesTransposedAKernel : tilesKernel;
      gpu.dispatch(launched, { a4: a, b4, out4 }, { ...common, ...cut, ...strides }, tiles * cut.splits);
    }
  });
}

/** Cuts the inner sum so that enough `tiles` run at once; `launch` writes the parts [batches, splits, M, N], `out` gets their sums. */
function inParts(
  out: Tensor,
  { batches, rows, columns, inner }: Geometry,
  tiles: number,
  launch: (out4: Tensor, cut: { splits: number; chunk: number }) => void,
): void {
  const splits = splitsFor(out.gpu.machine, tiles, inner);
  const out4 = splits === 1 ? out : out.gpu.empty([batches, splits, rows, columns]);
  launch(out4, { splits, chunk: 4 * Math.ceil(inner / splits / 4) });
  if (splits > 1) columnSums(out4, batches, rows * columns, 1, out);
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

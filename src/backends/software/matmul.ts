/**
 * Matrix products on software adapters. Loads are expensive there, and lanes are SIMD lanes: with subgroups of 8, eight
 * lanes load together and share by broadcast (matmul_subgroups.wgsl); without, each invocation loads for itself
 * (matmul_registers.wgsl).
 */
import { kernel, program } from '../../tensor/kernel.ts';
import { launch } from '../../tensor/launch.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type Product, productWork } from '../backend.ts';
import { multiplyScalar } from '../reference.ts';
import { inSplits } from '../splits.ts';
import { transposed } from '../transpose.ts';
import registersSource from './matmul_registers.wgsl';
import subgroupsSource from './matmul_subgroups.wgsl';

const subgroups = program('matmul_subgroups', subgroupsSource);
const tiles32Kernel = kernel(subgroups, 'tiles32', {}, 8);
const tiles64Kernel = kernel(subgroups, 'tiles64', {}, 8);
const tiles32TransposedKernel = kernel(subgroups, 'tiles32Transposed', {}, 8);
const registers = program('matmul_registers', registersSource);
const tilesKernel = kernel(registers, 'tiles');
const tilesTransposedAKernel = kernel(registers, 'tilesTransposedA');

/** Tiles that keep all cores busy. */
export const BUSY = 32;

const transposedA = (a: Tensor, { aBatch, batches, rows, inner }: Product) =>
  transposed(a, aBatch ? batches : 1, rows, inner);
const transposedB = (b: Tensor, { bBatch, batches, columns, inner }: Product) =>
  transposed(b, bBatch ? batches : 1, columns, inner);

/** By subgroups of 8 lanes: tiles of 32 rows x 32 or 64 columns. */
export function multiplyBySubgroups(a: Tensor, b: Tensor, out: Tensor, product: Product): void {
  const { batches, rows, columns, inner, aBatch, bBatch, transposeA, transposeB } = product;
  if (columns % 4 !== 0 || (transposeA && rows % 4 !== 0)) {
    multiplyByRegisters(a, b, out, product);
    return;
  }
  using _scope = a.gpu.scope();
  const readsTransposed = transposeB && inner % 4 === 0;
  const a4 = transposeA ? a : transposedA(a, product);
  const b4 = transposeB && !readsTransposed ? transposedB(b, product) : b;
  const aStep = Math.ceil(rows / 4);
  const width = columns > 32 && !readsTransposed ? 64 : 32;
  const tilesOf = readsTransposed ? tiles32TransposedKernel : width === 64 ? tiles64Kernel : tiles32Kernel;
  const tiles = batches * Math.ceil(rows / 32) * Math.ceil(columns / width);
  const strides = { aBatch: aBatch && aStep * inner, bBatch: bBatch / 4, aStep };
  inSplits(out, product, BUSY, tiles, (out4, cut) => {
    const sizes = { batches, rows, columns, inner, ...strides, ...cut };
    launch(tilesOf, { a4, b4, out4 }, sizes, { invocations: 8 * tiles * cut.splits, work: productWork(product) });
  });
}

/** By tiles of 8 x 8 in the registers of an invocation. */
export function multiplyByRegisters(a: Tensor, b: Tensor, out: Tensor, product: Product): void {
  const { transposeA, transposeB, ...sizes } = product;
  const { batches, rows, columns, inner } = sizes;
  if (columns % 4 !== 0 || (transposeA ? rows : inner) % 4 !== 0) {
    multiplyScalar(a, b, out, product);
    return;
  }
  using _scope = a.gpu.scope();
  const b4 = transposeB ? transposedB(b, product) : b;
  const launched = transposeA ? tilesTransposedAKernel : tilesKernel;
  const tiles = batches * Math.ceil(rows / 8) * Math.ceil(columns / 8);
  inSplits(out, product, BUSY, tiles, (out4, cut) => {
    launch(
      launched,
      { a4: a, b4, out4 },
      { ...sizes, ...cut },
      { invocations: tiles * cut.splits, work: productWork(product) },
    );
  });
}

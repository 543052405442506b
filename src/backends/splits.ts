/** Long sums of few elements: cut into splits that run side by side, then added up in a fixed order. */
import { columnSums } from '../autograd/elementary.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Product } from './backend.ts';

/**
 * How many splits a sum of `inner` terms is cut into, so that `tiles` become enough for the machine.
 * @param busy tiles that keep all cores busy
 */
export function splitsFor(busy: number, tiles: number, inner: number): number {
  const wanted = Math.ceil(busy / tiles);
  const longest = Math.ceil(inner / 256); // shorter splits cost more in the second pass than they gain
  return Math.max(1, Math.min(wanted, longest, 256));
}

/**
 * Cuts the inner sum so that enough tiles run at once.
 * @param out [batches, rows, columns], gets the totals
 * @param launch writes the splits' sums [batches, splits, rows, columns]; a chunk is the terms of a split
 */
export function inSplits(
  out: Tensor,
  { batches, rows, columns, inner }: Pick<Product, 'batches' | 'rows' | 'columns' | 'inner'>,
  busy: number,
  tiles: number,
  launch: (out4: Tensor, cut: { splits: number; chunk: number }) => void,
): void {
  const splits = splitsFor(busy, tiles, inner);
  const sums = splits === 1 ? out : out.gpu.empty([batches, splits, rows, columns]);
  launch(sums, { splits, chunk: 4 * Math.ceil(inner / splits / 4) });
  if (splits === 1) return;
  columnSums(sums, batches, rows * columns, 1, out);
  sums.dispose();
}

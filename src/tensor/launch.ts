/**
 * Launches kernels on tensors of any size. An op says what a launch computes; this file decides how it runs: with four
 * numbers per invocation if the sizes allow it, and in windows if a tensor exceeds the binding limit (128 MiB on many
 * adapters). The windows compute what one launch would have computed, in the same order.
 */
import type { Gpu } from './device.ts';
import { RomoError } from './error.ts';
import type { Kernel, Launch } from './kernel.ts';
import { PER_ELEMENT } from './pace.ts';
import type { Tensor } from './tensor.ts';

/** How work may be cut: between consecutive items (images, rows, chunks of rows). */
export interface Cut {
  readonly items: number;
  /** elements per item of each tensor that is cut, by name; the last item may have fewer */
  readonly per: Readonly<Record<string, number>>;
  /** most items per window, for work whose temporary tensors must stay small */
  readonly most?: number;
}

/** `count` consecutive items, starting with item `from`. */
export interface Window<Names extends string = string> {
  readonly from: number;
  readonly count: number;
  readonly tensors: Record<Names, Tensor>;
}

/** Options of a launch. */
export interface LaunchOptions {
  /** the size that counts the items between which the launch may be cut */
  along?: string;
  /** the number of items, if no size counts them; without `along` and `items` the launch is not cut */
  items?: number;
  /** bindings that every window needs whole; in all others, an item is a run of elements */
  whole?: readonly string[];
  /** elements per item, where that is not the binding's size / items */
  per?: Readonly<Record<string, number>>;
  /** invocations of the whole launch; default: one per element of `out` */
  invocations?: number;
  /** operations of the whole launch, those of a few per element of its tensors apart; see pace.ts */
  work?: number;
  /** sizes that differ between a window and the whole */
  sizesOf?: (from: number, count: number) => Record<string, number>;
}

/**
 * Queues a kernel. Sizes are plain counts and describe the whole tensors.
 *
 *     launch(addKernel, { x, y, out }, { count: x.size }, { along: 'count' });
 */
export function launch(
  kernel: Kernel,
  bindings: Launch['bindings'],
  sizes: Launch['sizes'],
  options: LaunchOptions = {},
): void {
  const tensors = Object.values(bindings);
  const { gpu } = tensors[0];
  const { along, items = along && sizes[along], whole = [], per = {}, invocations = bindings.out?.size } = options;
  const work = PER_ELEMENT * tensors.reduce((sum, { size }) => sum + size, 0) + (options.work ?? 0);
  if (invocations === undefined) {
    throw new RomoError('kernel', `${kernel.label}: no tensor is called out`, 'Pass the number of invocations.');
  }
  if (!items || bindable(gpu, ...tensors)) {
    queue(gpu, { kernel, bindings, sizes, invocations, work });
    return;
  }
  const cutNames = Object.keys(bindings).filter((name) => !whole.includes(name));
  const perItem = Object.fromEntries(cutNames.map((name) => [name, per[name] ?? bindings[name].size / items]));
  for (const { from, count, tensors: cut } of windows(gpu, bindings, { items, per: perItem })) {
    const counted = { ...sizes, ...(along && { [along]: count }), ...options.sizesOf?.(from, count) };
    const share = (of: number) => (of / items) * count;
    queue(gpu, { kernel, bindings: cut, sizes: counted, invocations: share(invocations), work: share(work) });
  }
}

/** Queues one launch, with the wide reading of the kernel if every count of Values is a multiple of 4. */
function queue(gpu: Gpu, one: Launch): void {
  const { kernel, sizes } = one;
  const { counts } = kernel.program;
  if (!kernel.wide || !gpu.backend.isWide || counts.some((name) => sizes[name] % 4 !== 0)) {
    gpu.queue.launch(one);
    return;
  }
  const inValues = { ...sizes };
  for (const name of counts) inValues[name] /= 4;
  gpu.queue.launch({ ...one, kernel: kernel.wide, sizes: inValues, invocations: one.invocations / 4 });
}

/**
 * Windows over `tensors`: a single one, with the tensors themselves, if all of them can be bound whole. Tensors that
 * `cut` does not name stay whole. Throws `memory` if a single item is too large.
 */
export function* windows<Names extends string>(
  gpu: Gpu,
  tensors: Record<Names, Tensor>,
  cut: Cut,
): Generator<Window<Names>> {
  const named = Object.entries<Tensor>(tensors).filter(([name]) => name in cut.per);
  const { most = cut.items } = cut;
  if (most >= cut.items && bindable(gpu, ...named.map(([, tensor]) => tensor))) {
    yield { from: 0, count: cut.items, tensors };
    return;
  }
  const count = itemsPerWindow(gpu, named, cut);
  for (let from = 0; from < cut.items; from += count) {
    const cutOut = named.map(([name, tensor]) => {
      const start = from * cut.per[name];
      return [name, tensor.window(start, Math.min(count * cut.per[name], tensor.size - start))];
    });
    const ofWindow = { ...tensors, ...(Object.fromEntries(cutOut) as Record<Names, Tensor>) };
    yield { from, count: Math.min(count, cut.items - from), tensors: ofWindow };
    for (const [, tensor] of cutOut) (tensor as Tensor).dispose();
  }
}

/** As many items as fit, so that every window starts at an offset where a binding may start. */
function itemsPerWindow(gpu: Gpu, named: readonly [string, Tensor][], { items, per, most = items }: Cut): number {
  const alignment = gpu.device.limits.minStorageBufferOffsetAlignment; // a power of two
  let multiple = 1;
  let itemBytes = 0;
  for (const [name] of named) {
    const bytes = 4 * per[name];
    itemBytes = Math.max(itemBytes, bytes);
    while ((multiple * bytes) % alignment !== 0) multiple *= 2;
  }
  const fitting = Math.min(most, gpu.bindableBytes / itemBytes);
  const count = Math.max(1, Math.floor(fitting / multiple)) * multiple;
  const bindingLimit = gpu.device.limits.maxStorageBufferBindingSize;
  if (count * itemBytes > bindingLimit) {
    const shapes = named.map(([name, { shape }]) => `${name} [${shape}]`).join(', ');
    const problem = `${count} items of ${itemBytes} bytes are the smallest window, the GPU binds at most ${bindingLimit}`;
    throw new RomoError('memory', `${shapes}: ${problem}`, 'Use smaller images or clouds.');
  }
  return count;
}

/** Does every tensor fit into one binding? */
export const bindable = (gpu: Gpu, ...tensors: readonly Tensor[]): boolean =>
  tensors.every((tensor) => tensor.bytes <= gpu.bindableBytes);

/**
 * Work on tensors that are larger than the GPU binds at once (128 MiB where it gives no more): a launch is cut into parts, each
 * of which binds a window of every such tensor. The parts do what the whole launch would have done, in the same order.
 */
import type { Gpu } from './device.ts';
import { RomoError } from './error.ts';
import type { Tensor } from './tensor.ts';

/** How a launch may be cut: into runs of items (images, rows, chunks of rows) that lie one behind the other. */
export interface Cut {
  readonly items: number;
  /** elements per item of each tensor that is cut, by its name in the launch; the last item may have fewer */
  readonly per: Readonly<Record<string, number>>;
  /** items per part where more could be bound, for work whose temporary tensors are to stay small */
  readonly most?: number;
}

/** The `count` items from number `from` on. */
export interface Part<Names extends string = string> {
  readonly from: number;
  readonly count: number;
  readonly tensors: Record<Names, Tensor>;
}

/**
 * The parts of a launch over `tensors`: one, with the tensors themselves, where all of them can be bound whole. Tensors that
 * `cut` does not name stay whole. Throws `memory` where a single item is too large.
 */
export function* parts<Names extends string>(
  gpu: Gpu,
  tensors: Record<Names, Tensor>,
  cut: Cut,
): Generator<Part<Names>> {
  const named = Object.entries<Tensor>(tensors).filter(([name]) => name in cut.per);
  const { most = cut.items } = cut;
  if (most >= cut.items && named.every(([, tensor]) => tensor.bytes <= gpu.bindableBytes)) {
    yield { from: 0, count: cut.items, tensors };
    return;
  }
  const count = itemsPerPart(gpu, named, cut);
  for (let from = 0; from < cut.items; from += count) {
    const windows = named.map(([name, tensor]) => {
      const start = from * cut.per[name];
      return [name, tensor.window(start, Math.min(count * cut.per[name], tensor.size - start))];
    });
    const part = { ...tensors, ...(Object.fromEntries(windows) as Record<Names, Tensor>) };
    yield { from, count: Math.min(count, cut.items - from), tensors: part };
    for (const [, window] of windows) (window as Tensor).dispose();
  }
}

/** As many items as fit, such that every window begins where a binding may begin. */
function itemsPerPart(gpu: Gpu, named: readonly [string, Tensor][], { items, per, most = items }: Cut): number {
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
  if (count * itemBytes > gpu.device.limits.maxStorageBufferBindingSize) {
    const shapes = named.map(([name, { shape }]) => `${name} [${shape}]`).join(', ');
    throw new RomoError(
      'memory',
      `${shapes}: ${count} items of ${itemBytes} bytes are the smallest part, the GPU binds at most ${gpu.device.limits.maxStorageBufferBindingSize}`,
      'Use smaller images or clouds.',
    );
  }
  return count;
}

/** Does every tensor fit into one binding? */
export const bindable = (gpu: Gpu, ...tensors: readonly Tensor[]): boolean =>
  tensors.every((tensor) => tensor.bytes <= gpu.bindableBytes);

/**
 * Detects launches that write out of bounds. Under guards, every tensor starts filled with known numbers and has a tail
 * of such numbers that kernels can reach but must not change; without a tail, the driver drops or moves a write past
 * the end, and it goes unnoticed. Grids are folded after two workgroups instead of 65,535.
 */
import * as assert from 'uvu/assert';
import { Budget } from '../../src/tensor/budget.ts';
import type { Gpu } from '../../src/tensor/device.ts';
import { Pool, type Storage, USAGE } from '../../src/tensor/memory.ts';
import { sizeOf } from '../../src/tensor/tensor.ts';

const TAIL_BYTES = 1024;
const WIDEST_GRID = 2;

/** Small whole numbers, which stay near if read as indices. No two tails are equal, so copies between them show. */
const tailWord = (tail: number, word: number): number => 5 + tail + 3 * word;

/** Gives out buffers with tails, and each buffer only once. */
class GuardedPool extends Pool {
  /** bytes of each buffer before its tail */
  readonly lengths = new Map<GPUBuffer, number>();

  constructor(private readonly gpu: Gpu) {
    const usage = USAGE.storage | USAGE.copySource | USAGE.copyTarget;
    const create = (size: number) => gpu.device.createBuffer({ size, usage });
    super(create, gpu.device.limits.maxBufferSize, new Budget(Number.POSITIVE_INFINITY), 0);
  }

  override take(shape: readonly number[]): Storage {
    const bytes = 4 * sizeOf(shape);
    const storage = super.take([(bytes + TAIL_BYTES) / 4]);
    const { size } = storage.buffer;
    const number = this.lengths.size;
    this.gpu.device.queue.writeBuffer(storage.buffer, 0, this.tail(number, bytes));
    this.gpu.device.queue.writeBuffer(storage.buffer, bytes, this.tail(number, size - bytes));
    this.lengths.set(storage.buffer, bytes);
    return storage;
  }

  override give(): void {
    // Kept from reuse until the tails are checked.
  }

  tail(number: number, bytes: number): Uint32Array<ArrayBuffer> {
    return Uint32Array.from({ length: bytes / 4 }, (_, word) => tailWord(number, word));
  }

  async check(what: string): Promise<void> {
    const { device } = this.gpu;
    let number = 0;
    for (const [buffer, length] of this.lengths) {
      const expected = this.tail(number++, buffer.size - length);
      const copy = device.createBuffer({ size: expected.byteLength, usage: USAGE.mapRead | USAGE.copyTarget });
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, length, copy, 0, expected.byteLength);
      device.queue.submit([encoder.finish()]);
      await copy.mapAsync(1);
      const found = new Uint32Array(copy.getMappedRange().slice(0));
      copy.destroy();
      const word = found.findIndex((value, i) => value !== expected[i]);
      assert.is(word, -1, `${what}: wrote into element ${length / 4 + word} of a tensor that has ${length / 4}`);
    }
  }
}

/** Runs `body` under guards and fails if a tail was written to. Tensors made before it have none. */
export async function withGuards<T>(gpu: Gpu, what: string, body: () => Promise<T>): Promise<T> {
  const { device, pool } = gpu;
  const guarded = new GuardedPool(gpu);
  const bind = device.createBindGroup.bind(device);
  const encode = device.createCommandEncoder.bind(device);
  const limits: Record<string, unknown> = {};
  for (const key in device.limits) limits[key] = device.limits[key as keyof GPUSupportedLimits];
  const patches: Record<string, unknown> = {
    limits: { ...limits, maxComputeWorkgroupsPerDimension: WIDEST_GRID },
    createBindGroup: (descriptor: GPUBindGroupDescriptor) =>
      bind({ ...descriptor, entries: [...descriptor.entries].map((entry) => withTail(entry, guarded)) }),
    createCommandEncoder: () => {
      const encoder = encode();
      const clear = encoder.clearBuffer.bind(encoder);
      const clearUpToTail = (buffer: GPUBuffer) => clear(buffer, 0, guarded.lengths.get(buffer) ?? buffer.size);
      return Object.defineProperty(encoder, 'clearBuffer', { value: clearUpToTail });
    },
  };
  const originals = Object.getOwnPropertyDescriptors(device) as unknown as PropertyDescriptorMap;
  for (const [name, value] of Object.entries(patches)) {
    Object.defineProperty(device, name, { value, configurable: true });
  }
  gpu.pool = guarded;
  try {
    const result = await body();
    await guarded.check(what);
    return result;
  } finally {
    gpu.pool = pool;
    for (const name of Object.keys(patches)) {
      Reflect.deleteProperty(device, name); // uncovers the one of the class
      if (originals[name]) Object.defineProperty(device, name, originals[name]);
    }
    guarded.destroy();
  }
}

/** Extends a binding that ends where its tensor ends to cover the tail as well. */
function withTail(entry: GPUBindGroupEntry, { lengths }: GuardedPool): GPUBindGroupEntry {
  const { buffer, offset = 0, size = 0 } = entry.resource as GPUBufferBinding;
  if (lengths.get(buffer) !== offset + size) return entry;
  return { ...entry, resource: { buffer, offset, size: buffer.size - offset } };
}

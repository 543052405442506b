/** GPU memory: a pool of buffers for reuse, and scopes that give tensors back to it. */
import { type Budget, SMALLER } from './budget.ts';
import { RomoError } from './error.ts';
import type { Tensor } from './tensor.ts';

// WebGPU's usage flags by value: Node has no global GPUBufferUsage, and we add nothing to globalThis.
export const USAGE = { mapRead: 0x1, copySource: 0x4, copyTarget: 0x8, uniform: 0x40, storage: 0x80, query: 0x200 };

/** What a pool holds. */
export interface MemoryCounters {
  /** bytes held by live tensors */
  liveBytes: number;
  /** live storages */
  liveBuffers: number;
  /** bytes of freed buffers kept for reuse */
  pooledBytes: number;
  /** buffers ever created; constant over steps once warm */
  created: number;
  /** the largest liveBytes so far */
  peakBytes: number;
}

/** A buffer shared by a tensor and its views; returned to the pool when the last of them is disposed of. */
export class Storage {
  private references = 1;

  constructor(
    readonly buffer: GPUBuffer,
    private readonly pool: Pool,
  ) {}

  retain(): void {
    this.references++;
  }

  release(): void {
    this.references--;
    if (this.references === 0) this.pool.give(this.buffer);
  }
}

/** Makes a buffer for a tensor of that shape. */
export type CreateBuffer = (size: number, shape: readonly number[]) => GPUBuffer;

/** Keeps freed buffers by size and reuses them, so that a warm step of fixed shapes creates none. */
export class Pool {
  private readonly free = new Map<number, GPUBuffer[]>();
  private readonly buffers = new Set<GPUBuffer>();
  /** evicted; destroyed once the commands that reference them are submitted */
  private retired: GPUBuffer[] = [];
  private liveBytes = 0;
  private liveBuffers = 0;
  private pooledBytes = 0;
  private created = 0;
  private peakBytes = 0;

  constructor(
    private readonly create: CreateBuffer,
    /** bytes of the largest buffer */
    private readonly largest: number,
    private readonly budget: Budget,
    /** bytes of freed buffers to keep */
    private readonly cap: number,
  ) {
    // Only capped pools may be evicted from: an uncapped one belongs to a Replay, whose bind groups reference its
    // buffers on every run.
    if (Number.isFinite(cap)) budget.pools.add(this);
  }

  /** A storage for a tensor of that shape, of four bytes per element. */
  take(shape: readonly number[]): Storage {
    const bytes = 4 * shape.reduce((product, length) => product * length, 1);
    const size = bucket(bytes);
    if (size > this.largest) {
      const problem = `a tensor [${shape}] of ${bytes} bytes is over this GPU's buffer limit of ${this.largest}`;
      throw new RomoError('memory', problem, SMALLER);
    }
    let buffer = this.free.get(size)?.pop();
    if (buffer) this.pooledBytes -= size;
    else {
      this.budget.reserve(size, shape);
      buffer = this.create(size, shape);
      this.buffers.add(buffer);
      this.created++;
    }
    this.liveBytes += size;
    this.liveBuffers++;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    return new Storage(buffer, this);
  }

  give(buffer: GPUBuffer): void {
    const size = buffer.size;
    this.liveBytes -= size;
    this.liveBuffers--;
    if (this.pooledBytes + size > this.cap) {
      this.forget(buffer);
      return;
    }
    const list = this.free.get(size);
    if (list) list.push(buffer);
    else this.free.set(size, [buffer]);
    this.pooledBytes += size;
  }

  private forget(buffer: GPUBuffer): void {
    if (!this.buffers.delete(buffer)) return;
    this.budget.used -= buffer.size;
    this.retired.push(buffer);
  }

  /** Buffers to destroy once the commands queued so far are submitted. */
  takeRetired(): GPUBuffer[] {
    const { retired } = this;
    this.retired = [];
    return retired;
  }

  /** Evicts all freed buffers. */
  evict(): void {
    for (const list of this.free.values()) for (const buffer of list) this.forget(buffer);
    this.free.clear();
    this.pooledBytes = 0;
  }

  /** Frees every buffer at once, those of live tensors too; for a pool whose work is finished. */
  destroy(): void {
    for (const buffer of this.buffers) this.forget(buffer);
    for (const buffer of this.takeRetired()) buffer.destroy();
    this.free.clear();
    this.budget.pools.delete(this);
  }

  counters(): MemoryCounters {
    const { liveBytes, liveBuffers, pooledBytes, created, peakBytes } = this;
    return { liveBytes, liveBuffers, pooledBytes, created, peakBytes };
  }
}

/** Rounds up to one of eight sizes per power of two, so that near sizes share buffers at a waste of at most 1/8. */
export function bucket(bytes: number): number {
  const step = Math.max(256, 2 ** (Math.ceil(Math.log2(Math.max(bytes, 1))) - 4));
  return Math.max(256, Math.ceil(bytes / step) * step);
}

/** Owns the tensors made while it is the innermost scope, and disposes of them when it ends. */
export class Scope {
  private readonly tensors = new Set<Tensor>();
  private ended = false;

  constructor(private readonly stack: Scope[]) {}

  add(tensor: Tensor): void {
    this.tensors.add(tensor);
  }

  remove(tensor: Tensor): void {
    this.tensors.delete(tensor);
  }

  /** Moves the tensor to the enclosing scope; returns it. */
  escape<T extends Tensor>(tensor: T): T {
    if (tensor.scope !== this) return tensor;
    this.tensors.delete(tensor);
    const outer = this.stack[this.stack.indexOf(this) - 1] ?? null;
    tensor.scope = outer;
    outer?.add(tensor);
    return tensor;
  }

  /** Frees the tensors that still belong to the scope. Calling it twice does nothing. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.stack.splice(this.stack.indexOf(this), 1);
    for (const tensor of this.tensors) tensor.dispose();
    this.tensors.clear();
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

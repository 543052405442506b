/** A tensor: a shape over a GPU buffer. Always contiguous, channels last. */
import type { Gpu } from './device.ts';
import { RomoError } from './error.ts';
import type { Scope, Storage } from './memory.ts';

/** The kind of a tensor's elements. */
export type DType = 'f32' | 'i32' | 'u32';
/** What `read` gives. */
export type TypedArray = Float32Array | Int32Array | Uint32Array;
/** Numbers that a tensor can be made from. */
export type TensorData = TypedArray | readonly number[];

const ARRAYS = { f32: Float32Array, i32: Int32Array, u32: Uint32Array };

/** Numbers as a typed array of the wanted kind, checked against the shape. */
export function toTyped(data: TensorData, shape: readonly number[], dtype?: DType): TypedArray {
  const size = sizeOf(shape);
  if (data.length !== size) {
    const problem = `tensor: ${data.length} numbers do not fill the shape [${shape}], which has ${size} elements`;
    throw new RomoError('shape', problem, 'Pass as many numbers as the shape has.');
  }
  if (ArrayBuffer.isView(data) && (!dtype || data instanceof ARRAYS[dtype])) return data as TypedArray;
  return ARRAYS[dtype ?? 'f32'].from(data as readonly number[]);
}

/** Number of elements of a shape; the empty shape has one. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** A shape over a GPU buffer; made by `gpu.tensor`, `gpu.empty` and by ops. */
export class Tensor {
  /** true for parameters, and for what is computed from them while a tape records */
  requiresGrad = false;
  /** gradient of the loss, set on parameters by `backward`, freed by an optimiser's step; a second `backward` adds to it */
  grad: Tensor | null = null;
  scope: Scope | null = null;
  private disposed = false;

  private constructor(
    readonly gpu: Gpu,
    readonly storage: Storage,
    readonly shape: readonly number[],
    readonly dtype: DType,
    /** bytes of the storage before the first element */
    readonly offset = 0,
  ) {
    this.scope = gpu.currentScope ?? null;
    this.scope?.add(this);
  }

  static allocate(gpu: Gpu, shape: readonly number[], dtype: DType): Tensor {
    if (shape.some((length) => !Number.isInteger(length) || length < 1)) {
      throw new RomoError('shape', `tensor: invalid shape [${shape}]`, 'Every dimension must be a positive integer.');
    }
    return new Tensor(gpu, gpu.pool.take(shape), shape, dtype);
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  get bytes(): number {
    return 4 * this.size;
  }

  /** Length of the last axis. */
  get channels(): number {
    return this.shape[this.shape.length - 1] ?? 1;
  }

  /** Number of rows when read as a matrix [rows, channels]. */
  get rows(): number {
    return this.size / this.channels;
  }

  /**
   * The same numbers under another shape of the same size; shares the buffer, carries no gradient (see
   * autograd/reshape).
   */
  view(shape: readonly number[]): Tensor {
    if (sizeOf(shape) !== this.size) {
      const problem = `view: [${this.shape}] has ${this.size} elements, [${shape}] has ${sizeOf(shape)}`;
      throw new RomoError('shape', problem, 'Choose a shape of the same size.');
    }
    this.storage.retain();
    return new Tensor(this.gpu, this.storage, shape, this.dtype, this.offset);
  }

  /**
   * `count` elements from number `start` on; shares the buffer. For kernels the start must be aligned, see launch.ts.
   */
  window(start: number, count: number): Tensor {
    this.storage.retain();
    return new Tensor(this.gpu, this.storage, [count], this.dtype, this.offset + 4 * start);
  }

  /** Overwrites the contents, in the order of the queued work. The numbers are copied at once. */
  write(data: TensorData): void {
    this.gpu.queue.write(this.storage.buffer, this.offset, toTyped(data, this.shape, this.dtype));
  }

  /** Runs the queued work and returns the contents. */
  async read(): Promise<TypedArray> {
    const bytes = await this.gpu.queue.read(this.storage.buffer, this.offset, this.bytes);
    return new ARRAYS[this.dtype](bytes);
  }

  /** `read` for the common case of f32. */
  async readFloats(): Promise<Float32Array> {
    if (this.dtype !== 'f32') throw new RomoError('dtype', `readFloats: the tensor holds ${this.dtype}`, 'Use read().');
    return (await this.read()) as Float32Array;
  }

  /** Takes the tensor out of its scope: it lives until `dispose`. Returns itself. */
  keep(): this {
    this.scope?.remove(this);
    this.scope = null;
    return this;
  }

  /** Gives the memory back now. Calling it twice does nothing. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.scope?.remove(this);
    this.storage.release();
  }

  get alive(): boolean {
    return !this.disposed;
  }
}

/** Fixtures made with PyTorch: reads them, makes the weights that they do not store, and converts between layouts. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { decodeSafetensors, type SafetensorEntry } from '../../src/files/safetensors.ts';
import { fnv1a32 } from '../../src/tensor/random.ts';
import { sizeOf } from '../../src/tensor/tensor.ts';

export interface Fixture {
  readonly name: string;
  readonly op: string;
  // biome-ignore lint/suspicious/noExplicitAny: options differ from op to op; a wrong one fails its comparison
  readonly attrs: Readonly<Record<string, any>>;
  readonly rtol: number;
  readonly atol: number;
  readonly names: readonly string[];
  has(name: string): boolean;
  /** `in.x`, `out.y`, ...; throws if the file has no tensor of this name */
  get(name: string): SafetensorEntry;
  floats(name: string): Float32Array;
  /**
   * like `get`; inputs that the file does not store are hashes of their names, in the shapes that `attrs.inputs` gives
   */
  input(name: string): Laid;
  ints(name: string): Int32Array;
}

export function readFixture(path: string): Fixture {
  const name = basename(path, '.safetensors');
  const { tensors, metadata } = decodeSafetensors(readFileSync(path), path);
  const get = (key: string): SafetensorEntry => {
    if (!tensors[key]) throw new Error(`${name} has no tensor ${key}, only ${Object.keys(tensors).join(', ')}`);
    return tensors[key];
  };
  const typed = <T>(key: string, kind: new (...args: never[]) => T): T => {
    const { data, dtype } = get(key);
    if (!(data instanceof kind)) throw new Error(`${name}: ${key} is ${dtype}`);
    return data;
  };
  return {
    name,
    op: metadata.op,
    attrs: JSON.parse(metadata.attrs),
    rtol: Number(metadata.rtol),
    atol: Number(metadata.atol),
    names: Object.keys(tensors),
    has: (key) => key in tensors,
    get,
    input: (key) => {
      const shape = JSON.parse(metadata.attrs).inputs?.[key] as number[] | undefined;
      if (!shape) return { data: typed(key, Float32Array), shape: get(key).shape };
      return { data: Float32Array.from(hashUniform(key, sizeOf(shape))), shape };
    },
    floats: (key) => typed(key, Float32Array),
    ints: (key) => typed(key, Int32Array),
  };
}

/** The finaliser of 32-bit murmur3. */
export function fmix32(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** `count` numbers in [-1, 1) that depend on the name alone. */
export function hashUniform(name: string, count: number): Float64Array {
  const key = fnv1a32(name);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = (fmix32(key ^ i) >>> 8) / 2 ** 23 - 1;
  return values;
}

/** The weights of a fixture marked `hash`, in PyTorch's layout. */
export function hashWeights(name: string, shape: readonly number[]): Float32Array {
  const isMatrix = shape.length >= 2;
  const scale = isMatrix ? Math.sqrt(3 / sizeOf(shape.slice(1))) : 0.25;
  const shift = !isMatrix && name.endsWith('weight') ? 1 : 0;
  return new Float32Array(hashUniform(name, sizeOf(shape)).map((u) => shift + scale * u));
}

/** Reorders axes: result axis a is axis `order[a]` of `data`. */
export function permute<T extends ArrayLike<number>>(data: T, shape: readonly number[], order: readonly number[]): T {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const target = order.map((axis) => shape[axis]);
  const result = (data as unknown as { slice(): T & number[] }).slice();
  for (let out = 0; out < data.length; out++) {
    let rest = out;
    let source = 0;
    for (let axis = order.length - 1; axis >= 0; axis--) {
      source += (rest % target[axis]) * strides[order[axis]];
      rest = Math.floor(rest / target[axis]);
    }
    result[out] = data[source];
  }
  return result;
}

export interface Laid {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** [B, C, ...] -> [B, ..., C] */
export function channelsLast(data: Float32Array, shape: readonly number[]): Laid {
  const order = [0, ...shape.map((_, axis) => axis).slice(2), 1];
  return { data: permute(data, shape, order), shape: order.map((axis) => shape[axis]) };
}

/** [B, ..., C] -> [B, C, ...]; `shape` is the shape of the result */
export function channelsFirst(data: Float32Array, shape: readonly number[]): Float32Array {
  const last = [shape[0], ...shape.slice(2), shape[1]];
  const order = [0, last.length - 1, ...last.map((_, axis) => axis).slice(1, -1)];
  return permute(data, last, order);
}

/** A convolution's weight: [O, I, H, W] -> [H, W, I, O] */
export function kernelLast(data: Float32Array, shape: readonly number[]): Laid {
  const order = [2, 3, 1, 0];
  return { data: permute(data, shape, order), shape: order.map((axis) => shape[axis]) };
}

/** [H, W, I, O] -> [O, I, H, W]; `shape` is the shape of the result */
export function kernelFirst(data: Float32Array, shape: readonly number[]): Float32Array {
  const [outChannels, inChannels, height, width] = shape;
  return permute(data, [height, width, inChannels, outChannels], [3, 2, 0, 1]);
}

/** A linear layer's weight, in either direction: [rows, columns] -> [columns, rows] */
export function transpose(data: Float32Array, [rows, columns]: readonly number[]): Float32Array {
  return permute(data, [rows, columns], [1, 0]);
}

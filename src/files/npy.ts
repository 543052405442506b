/**
 * Reads NumPy's .npy, versions 1 to 3, C and Fortran order, both byte orders.
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import { badFile, quoted } from './errors.ts';
import type { Geometry } from './geometry.ts';
import { cloudOf } from './mesh_builder.ts';
import { isScalarName, SCALARS, type ScalarName, viewOf } from './scalars.ts';

const ARRAYS = {
  i1: Int8Array,
  u1: Uint8Array,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
  i8: Float64Array,
  u8: Float64Array,
  f2: Float32Array,
  f4: Float32Array,
  f8: Float64Array,
} as const;

/** An array of any number of dimensions. */
export interface NdArray {
  readonly shape: readonly number[];
  /** Values in C order. 64-bit integers are converted to float64, halves to float32, bool to 0 and 1. */
  readonly data: InstanceType<(typeof ARRAYS)[ScalarName]>;
}

interface NpyHeader {
  readonly type: ScalarName;
  readonly little: boolean;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  readonly size: number;
  readonly dataStart: number;
}

/**
 * @param name the file name in error messages
 * @throws RomoError `file` unless the bytes are a complete array of numbers or bool
 */
export function parseNpy(bytes: Uint8Array, name: string): NdArray {
  const header = readHeader(bytes, name);
  const { type, shape, size, dataStart } = header;
  const needed = size * SCALARS[type].bytes;
  if (!(needed <= bytes.length - dataStart)) {
    throw badFile(name, `[${shape}] of ${type} needs ${needed} bytes, the file has ${bytes.length - dataStart}`);
  }
  const data = new ARRAYS[type](size);
  const raw = bytes.subarray(dataStart, dataStart + needed);
  const asStored = header.little && !header.fortran && data.byteLength === needed && type !== 'i8' && type !== 'u8';
  if (asStored) new Uint8Array(data.buffer).set(raw);
  else convert(raw, header, data);
  if ((type === 'i8' || type === 'u8') && data.some((value) => !Number.isSafeInteger(value))) {
    throw badFile(name, 'holds a 64-bit integer above 2^53', 'Save it as int32 or float64.');
  }
  return { shape, data };
}

function readHeader(bytes: Uint8Array, name: string): NpyHeader {
  const magic = String.fromCharCode(...bytes.subarray(0, 6));
  if (magic !== '\x93NUMPY' || bytes.length < 12) {
    throw badFile(name, 'not an .npy file: it does not begin with \\x93NUMPY', 'Save it with numpy.save.');
  }
  const wide = bytes[6] >= 2;
  const textStart = wide ? 12 : 10;
  const length = wide ? viewOf(bytes).getUint32(8, true) : viewOf(bytes).getUint16(8, true);
  if (bytes[6] < 1 || bytes[6] > 3 || textStart + length > bytes.length || length > 65_536) {
    throw badFile(name, `its header has version ${bytes[6]} and ${length} bytes, the file has ${bytes.length}`);
  }
  const text = new TextDecoder().decode(bytes.subarray(textStart, textStart + length));
  const descr = /'descr':\s*'([<>|=]?)([a-z]\d+)'/.exec(text);
  const order = /'fortran_order':\s*(True|False)/.exec(text);
  const tuple = /'shape':\s*\(([\d\sL,]*)\)/.exec(text);
  const type = descr?.[2] === 'b1' ? 'u1' : descr?.[2];
  if (!descr || !type || !isScalarName(type)) {
    const found = /'descr':\s*(.{1,24})/.exec(text)?.[1] ?? 'no descr';
    throw badFile(name, `its values are not plain numbers (${quoted(found)})`, 'Save it as float32.');
  }
  if (!order || !tuple) throw badFile(name, 'its header lacks the shape or the order');
  const shape = tuple[1]
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
    .map((word) => Number(word.replace(/L$/, '')));
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  if (shape.length > 64 || !Number.isSafeInteger(size)) throw badFile(name, `its shape is (${quoted(tuple[1])})`);
  const fortran = order[1] === 'True';
  return { type, little: descr[1] !== '>', fortran, shape, size, dataStart: textStart + length };
}

/** Reads value by value, in the C order of the result. */
function convert(raw: Uint8Array, { type, little, fortran, shape }: NpyHeader, data: NdArray['data']): void {
  const { bytes, get } = SCALARS[type];
  const view = viewOf(raw);
  // Stride of each axis in the file, in values.
  const strides = shape.map((_, axis) =>
    (fortran ? shape.slice(0, axis) : shape.slice(axis + 1)).reduce((product, dimension) => product * dimension, 1),
  );
  const index = shape.map(() => 0);
  let source = 0;
  for (let i = 0; i < data.length; i++) {
    data[i] = get(view, bytes * source, little);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      source += strides[axis];
      if (++index[axis] < shape[axis]) break;
      source -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

/** More columns than this in few rows are points: a network's [channels, points]. */
export const MOST_CHANNELS = 9;

/**
 * An array as a cloud: the first three columns, or the first three rows of a few long ones, as networks take them. A
 * batch of one is its only cloud.
 * @param array [P, 3 or more], or [3 to 9, P] with P above 9
 */
export function cloudOfArray({ shape, data }: NdArray, name: string): Geometry {
  let first = 0;
  while (shape.length - first > 2 && shape[first] === 1) first++;
  const [rows, columns] = shape.slice(first);
  const isTurned = rows >= 3 && rows <= MOST_CHANNELS && columns > MOST_CHANNELS;
  if (shape.length - first !== 2 || columns < 3 || (rows < 3 && columns > MOST_CHANNELS)) {
    throw badFile(name, `has shape [${shape}]`, 'Save the cloud with shape [points, 3 or more].');
  }
  const positions = new Float64Array(3 * (isTurned ? columns : rows));
  for (let i = 0; i < positions.length; i++) {
    const [point, axis] = [Math.floor(i / 3), i % 3];
    positions[i] = data[isTurned ? axis * columns + point : point * columns + axis];
  }
  return cloudOf(positions, name, isTurned ? { channelsFirst: 1 } : {});
}

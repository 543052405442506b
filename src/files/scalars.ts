/** Number types in binary files. All formats use NumPy's names: kind and bytes. */
import { halfToNumber } from './half.ts';

export interface Scalar {
  readonly bytes: number;
  get(view: DataView, at: number, little: boolean): number;
}

export type ScalarName = 'i1' | 'u1' | 'i2' | 'u2' | 'i4' | 'u4' | 'i8' | 'u8' | 'f2' | 'f4' | 'f8';

/** Size and reader of each type. 64-bit integers above 2^53 lose their last digits. */
export const SCALARS: Readonly<Record<ScalarName, Scalar>> = {
  i1: { bytes: 1, get: (view, at) => view.getInt8(at) },
  u1: { bytes: 1, get: (view, at) => view.getUint8(at) },
  i2: { bytes: 2, get: (view, at, little) => view.getInt16(at, little) },
  u2: { bytes: 2, get: (view, at, little) => view.getUint16(at, little) },
  i4: { bytes: 4, get: (view, at, little) => view.getInt32(at, little) },
  u4: { bytes: 4, get: (view, at, little) => view.getUint32(at, little) },
  i8: { bytes: 8, get: (view, at, little) => Number(view.getBigInt64(at, little)) },
  u8: { bytes: 8, get: (view, at, little) => Number(view.getBigUint64(at, little)) },
  f2: { bytes: 2, get: (view, at, little) => halfToNumber(view.getUint16(at, little)) },
  f4: { bytes: 4, get: (view, at, little) => view.getFloat32(at, little) },
  f8: { bytes: 8, get: (view, at, little) => view.getFloat64(at, little) },
};

export function isScalarName(name: string): name is ScalarName {
  return Object.hasOwn(SCALARS, name);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

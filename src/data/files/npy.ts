export interface NdArray {
  readonly shape: readonly number[];
  /** The product of `shape` values, row by row (C order). 64-bit integers become doubles, halves become float32. */
  readonly data:
    | Float32Array
    | Float64Array
    | Int8Array
    | Uint8Array
    | Int16Array
    | Uint16Array
    | Int32Array
    | Uint32Array;
}

/** Parsers of 3D and array files, from bytes. They all run in Node and in browsers. */
export { GEOMETRY_EXTENSIONS, parseGeometry } from './formats.ts';
export type { Geometry } from './geometry.ts';
export type { NdArray } from './npy.ts';
export { type Npz, parseNpz } from './npz.ts';
export type { Remarks } from './remarks.ts';

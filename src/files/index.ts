/** Files from their bytes: meshes, clouds and arrays. All of it works in Node and in pages. */
export { GEOMETRY_EXTENSIONS, parseGeometry } from './formats.ts';
export type { Geometry } from './geometry.ts';
export type { NdArray } from './npy.ts';
export { type Npz, parseNpz } from './npz.ts';

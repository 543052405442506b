/** Building blocks of data sets: meshes, and clouds and images made from them, with the same bits in every engine. */
export { fromBytes, toBytes } from '../files/pixels.ts';
export { cos, sin } from '../tensor/exact.ts';
export { seen, viewFrom } from './cloud_view.ts';
export { normalizeCloud } from './normalize.ts';
export { type Axis, type Preparation, prepareCloud, prepareImage, prepareMesh } from './prepare.ts';
export { DIGIT_SIZE } from './sets/digit.ts';
export {
  addTriangle,
  emptyMesh,
  type Mesh,
  normalizeMesh,
  type Surface,
  turn,
  type Vector,
} from './shapes/mesh.ts';
export { randomView, rasterise, type View } from './shapes/rasterise.ts';
export { samplePoints } from './shapes/sampling.ts';
export { makeShape, SHAPE_CLASSES } from './shapes/shapes.ts';
export { type Sampling, sampleCloud } from './subsample.ts';

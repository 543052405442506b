/** 3D MNIST's HDF5 files. Node only. */
import { badFile } from './errors.ts';

export interface PointCloudFile {
  /** Number of objects: groups "0" to "length - 1". */
  readonly length: number;
  /** [P, 3], as in the file */
  points(index: number): Promise<Float32Array>;
  /** [P, 3] */
  normals(index: number): Promise<Float32Array>;
  /** [height, width], as in the file */
  image(index: number): Promise<{ readonly height: number; readonly width: number; readonly pixels: Float32Array }>;
  label(index: number): Promise<number>;
  close(): Promise<void>;
}

export async function openPointClouds(path: string): Promise<PointCloudFile> {
  throw badFile(path, 'HDF5 files are not read yet', '');
}

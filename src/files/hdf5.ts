/**
 * Reads 3D MNIST's HDF5 files, `train_point_clouds.h5` and `test_point_clouds.h5`: groups "0", "1", ... with the
 * datasets img, points, normals and the attribute label. Objects are read on demand, since 5,000 clouds take gigabytes.
 * Node only.
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { RomoError } from '../tensor/error.ts';
import { badFile, quoted } from './errors.ts';
import type { Geometry } from './geometry.ts';
import { cloudOf } from './mesh_builder.ts';

export interface PointCloudFile {
  /** Number of objects, in groups "0" to "length - 1". */
  readonly length: number;
  /** The cloud, without holes, unscaled. */
  points(index: number): Promise<Geometry>;
  /** [P, 3] */
  normals(index: number): Promise<Float64Array>;
  /** Does group "0" have a picture? */
  hasImages(): Promise<boolean>;
  /** [height, width], unscaled */
  image(index: number): Promise<{ readonly height: number; readonly width: number; readonly pixels: Float32Array }>;
  /** An integer. */
  label(index: number): Promise<number>;
  close(): Promise<void>;
}

/** Limit per dataset, so that a corrupt size cannot allocate too much. A digit has about 25,000 points. */
const MOST_VALUES = 2 ** 24;

/** Filters with lower numbers come with HDF5; others, such as h5py's lzf, are plug-ins. */
const FIRST_FOREIGN_FILTER = 256;
/** HDF5's class of floating-point types. */
const FLOAT = 1;

type Hdf5 = typeof import('h5wasm/node');

/**
 * @throws RomoError `file` if it is not an HDF5 file or lacks groups "0", "1", ...; the methods throw it if data are
 * missing or damaged
 */
export async function openPointClouds(path: string): Promise<PointCloudFile> {
  const status = await stat(path).catch((cause: Error) => {
    throw badFile(path, `cannot be read: ${cause.message}`, 'Check the path and its permissions.');
  });
  if (!status.isFile()) throw badFile(path, 'is not a file', 'Give the path of an HDF5 file.');
  const hdf5 = await import('h5wasm/node');
  const module = await hdf5.ready;
  module.activate_throwing_error_handler(); // otherwise HDF5 prints its errors and continues
  const file = guarded(path, 'is not an HDF5 file', () => new hdf5.File(resolve(path), 'r'));
  try {
    const keys = guarded(path, 'its groups cannot be read', () => new Set(file.keys()));
    for (let i = 0; i < Math.max(1, keys.size); i++) {
      if (keys.has(String(i))) continue;
      const found = [...keys].slice(0, 4).map(quoted).join(', ');
      const what = `has no group "${i}", only ${keys.size} others (${found})`;
      throw badFile(path, what, 'Give train_point_clouds.h5 or test_point_clouds.h5 of 3D MNIST.');
    }
    return new Reader(path, keys.size, hdf5, file);
  } catch (cause) {
    guarded(path, 'cannot be closed', () => file.close());
    throw cause;
  }
}

class Reader implements PointCloudFile {
  constructor(
    private readonly path: string,
    readonly length: number,
    private readonly hdf5: Hdf5,
    private readonly file: InstanceType<Hdf5['File']>,
  ) {}

  async points(index: number): Promise<Geometry> {
    return cloudOf(this.read(index, 'points', 3).values, `${this.path}: points of group "${index}"`);
  }

  async normals(index: number): Promise<Float64Array> {
    return this.read(index, 'normals', 3).values;
  }

  async hasImages(): Promise<boolean> {
    return guarded(this.path, 'group "0" cannot be read', () => this.file.get('0/img') !== null);
  }

  async image(index: number): Promise<{ height: number; width: number; pixels: Float32Array }> {
    const { shape, values } = this.read(index, 'img');
    return { height: shape[0], width: shape[1], pixels: Float32Array.from(values) };
  }

  async label(index: number): Promise<number> {
    this.check(index);
    const what = `the label of group "${index}"`;
    const value = guarded(this.path, `${what} cannot be read`, () => {
      const group = this.file.get(String(index));
      return group && 'attrs' in group ? group.attrs.label?.value : undefined;
    });
    const label = Number(ArrayBuffer.isView(value) ? (value as Int32Array)[0] : (value ?? Number.NaN));
    if (!Number.isSafeInteger(label)) throw badFile(this.path, `${what} is missing or not an integer`);
    return label;
  }

  async close(): Promise<void> {
    guarded(this.path, 'cannot be closed', () => this.file.close());
  }

  /** Reads a two-dimensional dataset. @param columns the second dimension, if known */
  private read(index: number, dataset: string, columns?: number): { shape: readonly number[]; values: Float64Array } {
    this.check(index);
    const what = `"${index}/${dataset}"`;
    return guarded(this.path, `${what} cannot be read`, () => {
      const found = this.file.get(`${index}/${dataset}`);
      const shape = found instanceof this.hdf5.Dataset ? found.shape : null;
      if (!(found instanceof this.hdf5.Dataset) || !shape) throw badFile(this.path, `has no dataset ${what}`);
      const size = shape.reduce((product, dimension) => product * dimension, 1);
      if (shape.length !== 2 || (columns && shape[1] !== columns) || !(size <= MOST_VALUES)) {
        throw badFile(this.path, `${what} has shape [${shape}], expected [any, ${columns ?? 'any'}]`);
      }
      this.checkCoding(found, what);
      const value = found.value;
      if (!ArrayBuffer.isView(value)) throw badFile(this.path, `${what} does not hold numbers`, 'Save it as float32.');
      const values = Float64Array.from(value as unknown as ArrayLike<number | bigint>, Number);
      if (values.length !== size) throw badFile(this.path, `${what} holds ${values.length} values instead of ${size}`);
      return { shape, values };
    });
  }

  /** Refuses what the library cannot decode; its own messages are about plug-ins. */
  private checkCoding({ filters, metadata }: InstanceType<Hdf5['Dataset']>, what: string): void {
    const foreign = filters.find(({ id }) => id >= FIRST_FOREIGN_FILTER);
    if (foreign) {
      const coding = `is compressed by ${quoted(foreign.name)} (filter ${foreign.id}), which is not part of HDF5`;
      throw badFile(this.path, `${what} ${coding}`, 'Save it with compression="gzip", or without compression.');
    }
    if (metadata.type === FLOAT && metadata.size === 2) {
      throw badFile(this.path, `${what} holds float16, which is not read`, 'Save it as float32.');
    }
  }

  private check(index: number): void {
    if (Number.isInteger(index) && index >= 0 && index < this.length) return;
    throw badFile(this.path, `has no object ${index}`, `Ask for 0 to ${this.length - 1}.`);
  }
}

/** Path of the file at which the C library aborted. Its memory cannot be trusted afterwards. */
let aborted: string | null = null;

function guarded<T>(path: string, what: string, read: () => T): T {
  if (aborted !== null) {
    throw badFile(
      path,
      `cannot be read: the HDF5 library aborted at ${aborted}, or at an earlier damaged file`,
      'Restart the program.',
    );
  }
  try {
    return read();
  } catch (cause) {
    if (cause instanceof RomoError) throw cause;
    if (cause instanceof WebAssembly.RuntimeError) {
      aborted = path;
      throw badFile(
        path,
        `${what}: the HDF5 library aborted, here or at an earlier damaged file`,
        'Download the file again, then restart the program.',
      );
    }
    // The message is a stack trace of the C library; its innermost line is the most specific.
    const reasons = String((cause as Error).message).split('\n');
    const minor = reasons.filter((line) => line.includes('minor:')).pop() ?? reasons[0];
    throw badFile(path, `${what}: ${minor.replace(/^\s*minor:\s*/, '').slice(0, 200)}`);
  }
}

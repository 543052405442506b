/** Raw data as rows of numbers, without any network: what baselines start from. No label is involved. */
import { resizeImage } from '../data/resize.ts';
import type { PairedData } from '../data/types.ts';
import type { Gpu } from '../tensor/device.ts';
import type { Config } from './config.ts';
import type { Embeddings } from './embedding.ts';
import { kmeans } from './method/kmeans.ts';
import { scoresOf, unitRows } from './rows.ts';

const GRID = 8;
const LARGEST_IMAGE = 32;

/**
 * Raw data as rows for k-means: pixels (of an image shrunk to 32 x 32 where it is larger), and the share of
 * points in each cell of an 8 x 8 x 8 grid. Unit rows.
 */
export async function rawRows(pairs: PairedData): Promise<Embeddings & { gridDimension: number }> {
  const [height, width, channels] = pairs.imageShape;
  const isLarge = height * width > LARGEST_IMAGE ** 2;
  const dimension = (isLarge ? LARGEST_IMAGE ** 2 : height * width) * channels;
  const gridDimension = GRID ** 3;
  const images = new Float32Array(pairs.length * dimension);
  const clouds = new Float32Array(pairs.length * gridDimension);
  for (let index = 0; index < pairs.length; index++) {
    const [{ image, cloud }] = await pairs.load([index]);
    images.set(isLarge ? resizeImage(image, pairs.imageShape, LARGEST_IMAGE) : image, index * dimension);
    const low = [0, 1, 2].map((axis) => extreme(cloud, axis, Math.min));
    const range = Math.max(...[0, 1, 2].map((axis) => extreme(cloud, axis, Math.max) - low[axis])) || 1;
    for (let at = 0; at < cloud.length; at += 3) {
      const cell = [0, 1, 2].map((axis) =>
        Math.min(GRID - 1, Math.floor(((cloud[at + axis] - low[axis]) / range) * GRID)),
      );
      clouds[index * gridDimension + (cell[0] * GRID + cell[1]) * GRID + cell[2]]++;
    }
  }
  return { images: unitRows(images, dimension), clouds: unitRows(clouds, gridDimension), dimension, gridDimension };
}

function extreme(cloud: Float32Array, axis: number, choose: (a: number, b: number) => number): number {
  let value = cloud[axis];
  for (let at = axis; at < cloud.length; at += 3) value = choose(value, cloud[at]);
  return value;
}

/** Rows of a and b side by side. */
function sideBySide(a: Float32Array, aWidth: number, b: Float32Array, bWidth: number): Float32Array {
  const rows = a.length / aWidth;
  const out = new Float32Array(a.length + b.length);
  for (let row = 0; row < rows; row++) {
    out.set(a.subarray(row * aWidth, (row + 1) * aWidth), row * (aWidth + bWidth));
    out.set(b.subarray(row * bWidth, (row + 1) * bWidth), row * (aWidth + bWidth) + aWidth);
  }
  return out;
}

/** Raw data as k-means describes them. */
export interface RawDescription extends Embeddings {
  /** The cluster of each of these pairs, by k-means of their own pixels and voxels. */
  clusters(): Promise<Int32Array>;
}

/**
 * k-means over pixels and voxels of the training pairs side by side. Each centre has a pixel part and a voxel part, so
 * an image and a cloud can both be described by their cosines with the C centres, and compared.
 * @returns describes pairs
 */
export async function rawClusters(
  gpu: Gpu,
  trainPairs: PairedData,
  { clusters, seed }: Pick<Config, 'clusters' | 'seed'>,
): Promise<(pairs: PairedData) => Promise<RawDescription>> {
  const { dimension, gridDimension, ...train } = await rawRows(trainPairs);
  const both = dimension + gridDimension;
  const options = { clusters, seed, stream: 'raw' };
  const { centres } = await kmeans(
    gpu,
    sideBySide(train.images, dimension, train.clouds, gridDimension),
    both,
    options,
  );
  const part = (from: number, width: number) => {
    const rows = Array.from({ length: clusters }, (_, c) => centres.subarray(c * both + from, c * both + from + width));
    return Float32Array.from(rows.flatMap((row) => [...row]));
  };
  const described = (rows: Float32Array, width: number, from: number) =>
    unitRows(centred(scoresOf(rows, part(from, width), width), clusters), clusters);
  return async (pairs) => {
    const { images, clouds } = await rawRows(pairs);
    return {
      images: described(images, dimension, 0),
      clouds: described(clouds, gridDimension, dimension),
      dimension: clusters,
      clusters: async () =>
        (await kmeans(gpu, sideBySide(images, dimension, clouds, gridDimension), both, options)).labels,
    };
  };
}

/** Each row of scores minus its mean: differences between centres, without the brightness of the picture. */
function centred(scores: Float64Array, columns: number): Float32Array {
  const out = new Float32Array(scores.length);
  for (let start = 0; start < scores.length; start += columns) {
    const row = scores.subarray(start, start + columns);
    const mean = row.reduce((sum, score) => sum + score, 0) / columns;
    row.forEach((score, c) => {
      out[start + c] = score - mean;
    });
  }
  return out;
}

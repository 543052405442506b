/**
 * 3D MNIST as published: train_point_clouds.h5 and test_point_clouds.h5. Group "i" is digit i of MNIST's training or
 * test file. If the groups have no pictures, MNIST's IDX files in the same folder supply them. Node only.
 */
import { join } from 'node:path';
import { badFile } from '../../files/errors.ts';
import { openPointClouds, type PointCloudFile } from '../../files/hdf5.ts';
import { toBytes, withChannels } from '../../files/pixels.ts';
import { RomoError } from '../../tensor/error.ts';
import { prepareCloud } from '../prepare.ts';
import { resizeImage } from '../resize.ts';
import { DIGIT_SIZE, digitImage, PADDED_SIZE } from './digit.ts';
import type { FoundSet, FoundSplit } from './found.ts';
import { findIdxFile, nameIn, readIdxImages } from './idx.ts';
import { DIGITS, inSharedMemory } from './mnist_idx.ts';
import type { ObjectReader, ReadOptions } from './object.ts';
import { checkShows } from './prepare_picture.ts';

export interface Hdf5Plan {
  readonly kind: 'hdf5';
  readonly file: string;
  /** [n, 28, 28], of MNIST; null if the file has its own pictures */
  readonly pixels: Uint8Array | null;
}

/** @param names of the files in the folder */
export async function findMnistHdf5(folder: string, names: readonly string[]): Promise<FoundSet> {
  return {
    ...DIGITS,
    train: await findSplit(folder, names, 'train', 'train'),
    test: await findSplit(folder, names, 'test', 't10k'),
    bad: [],
    notes: [],
  };
}

async function findSplit(
  folder: string,
  names: readonly string[],
  split: 'train' | 'test',
  mnist: 'train' | 't10k',
): Promise<FoundSplit> {
  const name = `${split}_point_clouds.h5`;
  const file = join(folder, nameIn(names, name) ?? name);
  const clouds = await openPointClouds(file);
  try {
    const indices = Array.from({ length: clouds.length }, (_, index) => index);
    const labels: number[] = [];
    for (const index of indices) {
      const label = await clouds.label(index);
      if (!DIGITS.classNames[label]) throw badFile(file, `the label of group "${index}" is ${label}, not a digit`);
      labels.push(label);
    }
    const pixels = (await clouds.hasImages()) ? null : await mnistPixels(folder, file, mnist, clouds.length);
    return { ids: indices.map((index) => `${split}/${index}`), labels, plan: { kind: 'hdf5', file, pixels } };
  } finally {
    await clouds.close();
  }
}

async function mnistPixels(folder: string, file: string, mnist: string, needed: number): Promise<Uint8Array> {
  const path = await findIdxFile(folder, `${mnist}-images-idx3-ubyte`).catch((cause: RomoError) => {
    throw new RomoError('file', `mnist3d: ${file} has no pictures (img), and ${cause.message}`, '');
  });
  const { count, pixels } = await readIdxImages(path, needed);
  if (count < needed) throw badFile(path, `has ${count} images for the ${needed} clouds of ${file}`);
  return inSharedMemory(pixels);
}

export function openHdf5({ file, pixels }: Hdf5Plan, options: ReadOptions): ObjectReader {
  let opening: Promise<PointCloudFile> | null = null;
  const size = options.imageSize;
  return {
    async read(index) {
      opening ??= openPointClouds(file);
      const clouds = await opening;
      const name = `${file}: group "${index}"`;
      const { positions, remarks } = await clouds.points(index);
      const { image, width, height } = pixels ? mnistImage(pixels, index) : await storedImage(clouds, index, name);
      const scaled = toBytes(resizeImage(image, [height, width, 1], size)); // stretched, without margins
      checkShows(scaled, 1, name);
      return {
        views: [withChannels(scaled, options.channels)],
        cloud: prepareCloud({ positions, triangles: null }, name, { ...options, up: 'z' }), // as published
        origin: { points: positions.length / 3, triangles: 0, width, height, remarks },
      };
    },
    async close() {
      await (await opening)?.close();
    },
  };
}

function mnistImage(pixels: Uint8Array, index: number) {
  const digit = pixels.subarray(index * DIGIT_SIZE * DIGIT_SIZE, (index + 1) * DIGIT_SIZE * DIGIT_SIZE);
  return { image: digitImage(digit), width: PADDED_SIZE, height: PADDED_SIZE };
}

/** Files of different origin have values in 0..1 or 0..255, padded or not. */
async function storedImage(clouds: PointCloudFile, index: number, name: string) {
  const { height, width, pixels } = await clouds.image(index);
  const highest = pixels.reduce((high, value) => Math.max(high, value), 0);
  if (!(highest > 0 && pixels.every((value) => value >= 0 && value <= 255))) {
    throw badFile(name, 'its picture is empty or has values outside 0 to 255');
  }
  const unit = highest > 1 ? pixels.map((value) => value / 255) : pixels;
  if (width !== DIGIT_SIZE || height !== DIGIT_SIZE) return { image: unit, width, height };
  return { image: digitImage(unit.map((value) => value * 255)), width: PADDED_SIZE, height: PADDED_SIZE };
}

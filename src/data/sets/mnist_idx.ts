/**
 * Builds 3D MNIST from MNIST's IDX files: digits as images and point clouds, see digit.ts. The published set has the
 * first 5,000 digits of MNIST's training file and the first 1,000 of its test file. Node only.
 */

import { toBytes, withChannels } from '../../files/pixels.ts';
import { RomoError } from '../../tensor/error.ts';
import { contentRandom, keptPoints } from '../prepare.ts';
import { resizeImage } from '../resize.ts';
import { subsampleCloud } from '../subsample.ts';
import { DIGIT_SIZE, digitCloud, digitImage, PADDED_SIZE } from './digit.ts';
import type { FoundSet, FoundSplit } from './found.ts';
import { findIdxFile, readIdxImages, readIdxLabels } from './idx.ts';
import type { ObjectReader, ReadOptions } from './object.ts';

/** Digits are rotated about the depth axis, like their images. Larger angles would turn a 6 into a 9. */
export const DIGITS = {
  name: 'mnist3d',
  classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  mirror: false,
  rotation: { axis: 0, maxDegrees: 20 },
  channels: 1,
  inOrder: true,
} as const;

export interface DigitsPlan {
  readonly kind: 'digits';
  readonly split: 'train' | 't10k';
  /** [n, 28, 28], in shared memory */
  readonly pixels: Uint8Array;
}

/** Finds MNIST's four files in a folder, gzipped or not. */
export async function findMnistIdx(folder: string): Promise<FoundSet> {
  return {
    ...DIGITS,
    train: await findSplit(folder, 'train'),
    test: await findSplit(folder, 't10k'),
    bad: [],
    notes: [],
  };
}

async function findSplit(folder: string, split: 'train' | 't10k'): Promise<FoundSplit> {
  const imageFile = await findIdxFile(folder, `${split}-images-idx3-ubyte`);
  const labelFile = await findIdxFile(folder, `${split}-labels-idx1-ubyte`);
  const { count, rows, columns, pixels } = await readIdxImages(imageFile);
  const labels = await readIdxLabels(labelFile);
  if (rows !== DIGIT_SIZE || columns !== DIGIT_SIZE) {
    throw new RomoError(
      'file',
      `mnist3d: ${imageFile} has images of ${rows} x ${columns} pixels`,
      `Use the files of MNIST, which have ${DIGIT_SIZE} x ${DIGIT_SIZE}.`,
    );
  }
  if (labels.length !== count) {
    throw new RomoError(
      'file',
      `mnist3d: ${imageFile} has ${count} images, but ${labelFile} has ${labels.length} labels`,
      "Download MNIST's files again.",
    );
  }
  const wrong = labels.findIndex((label) => label >= DIGITS.classNames.length);
  if (wrong >= 0) {
    const problem = `${labelFile}: label ${labels[wrong]} of object ${wrong} is not a digit`;
    throw new RomoError('file', `mnist3d: ${problem}`, "Download MNIST's files again.");
  }
  return {
    ids: Array.from(labels, (_, index) => `${split}/${index}`),
    labels: [...labels],
    plan: { kind: 'digits', split, pixels: inSharedMemory(pixels) },
  };
}

/** A copy in shared memory, which all threads can read. */
export function inSharedMemory(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

/** Builds images and clouds on demand: a full cloud has about 25,000 points, so 5,000 clouds take 1.5 GB. */
export function openDigits({ split, pixels }: DigitsPlan, options: ReadOptions): ObjectReader {
  const { imageSize, channels, points, seed } = options;
  return {
    async read(index) {
      const digit = pixels.slice(index * DIGIT_SIZE * DIGIT_SIZE, (index + 1) * DIGIT_SIZE * DIGIT_SIZE);
      if (digit.every((pixel) => pixel === digit[0])) {
        throw new RomoError('file', `mnist3d: image ${index} of ${split} is empty`, "Download MNIST's files again.");
      }
      const image = resizeImage(digitImage(digit), [PADDED_SIZE, PADDED_SIZE, 1], imageSize);
      const cloud = digitCloud(digit);
      return {
        views: [withChannels(toBytes(image), channels)],
        cloud: subsampleCloud(cloud, keptPoints(points), contentRandom(seed, digit)),
        origin: { points: cloud.length / 3, triangles: 0, width: DIGIT_SIZE, height: DIGIT_SIZE },
      };
    },
    async close() {},
  };
}

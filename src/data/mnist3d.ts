/**
 * 3D MNIST made from MNIST's IDX files: digits as images and as point clouds, see digit.ts. The published set is the
 * first 5,000 digits of MNIST's training file and the first 1,000 of its test file. Node only.
 */
import { RomoError } from '../tensor/error.ts';
import { Random } from '../tensor/random.ts';
import { fromBytes, toBytes } from './bytes.ts';
import { DIGIT_SIZE, digitCloud, digitImage, PADDED_SIZE } from './digit.ts';
import { findIdxFile, readIdxImages, readIdxLabels } from './idx.ts';
import { resizeImage } from './resize.ts';
import { subsampleCloud } from './subsample.ts';
import type { DataOptions, LabelledDataSet, Split } from './types.ts';

const CLASS_NAMES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/**
 * Opens the folder that holds MNIST's four files, gzipped or not.
 *
 * Images and clouds are made when first asked for. A full cloud has about 25,000 points, 5,000 of them 1.5 GB; so what
 * is kept of each is a fixed random subsample, twice what a network takes and at least 1,024 points (75 MB for 6,000
 * objects). It depends on the seed, the split and the index only.
 */
export async function openMnist3d(folder: string, options: DataOptions): Promise<LabelledDataSet> {
  const { train, test, onProgress } = options;
  onProgress?.(0, train + test);
  const trainSplit = await openSplit(folder, 'train', train, options);
  onProgress?.(train, train + test);
  const testSplit = await openSplit(folder, 't10k', test, options);
  onProgress?.(train + test, train + test);
  return {
    name: 'mnist3d',
    train: trainSplit,
    test: testSplit,
    mirror: false,
    // About the depth axis, as the images are turned; further and a 6 becomes a 9.
    rotation: { axis: 0, maxDegrees: 20 },
  };
}

async function openSplit(
  folder: string,
  split: 'train' | 't10k',
  length: number,
  { imageSize, points, seed }: DataOptions,
): Promise<Split> {
  const imageFile = await findIdxFile(folder, `${split}-images-idx3-ubyte`);
  const labelFile = await findIdxFile(folder, `${split}-labels-idx1-ubyte`);
  const { count, rows, columns, pixels } = await readIdxImages(imageFile, length);
  const labels = await readIdxLabels(labelFile, length);
  if (rows !== DIGIT_SIZE || columns !== DIGIT_SIZE) {
    throw new RomoError(
      'file',
      `mnist3d: ${imageFile} has images of ${rows} x ${columns} pixels`,
      `The recipe of 3D MNIST needs ${DIGIT_SIZE} x ${DIGIT_SIZE}`,
    );
  }
  if (Math.min(count, labels.length) < length) {
    const [few, file] = count < length ? [count, imageFile] : [labels.length, labelFile];
    throw new RomoError(
      'data',
      `mnist3d: ${length} objects are asked for, ${file} has ${few}`,
      split === 'train' ? 'Ask for fewer with --train' : 'Ask for fewer with --test',
    );
  }
  const digit = (index: number): Uint8Array =>
    pixels.subarray(index * DIGIT_SIZE * DIGIT_SIZE, (index + 1) * DIGIT_SIZE * DIGIT_SIZE);
  for (let index = 0; index < length; index++) {
    const problem =
      labels[index] >= CLASS_NAMES.length
        ? `${labelFile}: label ${labels[index]} of object ${index} is no digit`
        : digit(index).every((pixel) => pixel === 0) && `${imageFile}: image ${index} is empty`;
    if (problem) throw new RomoError('file', `mnist3d: ${problem}`, "Get MNIST's files again");
  }
  const images: Uint8Array[] = [];
  const clouds: Float32Array[] = [];
  const keep = Math.max(1024, 2 * points);
  return {
    pairs: {
      name: `mnist3d ${split}`,
      length,
      imageShape: [imageSize, imageSize, 1],
      id: (index) => `${split}/${index}`,
      load: async (indices) =>
        Array.from(indices, (index) => {
          images[index] ??= toBytes(resizeImage(digitImage(digit(index)), [PADDED_SIZE, PADDED_SIZE, 1], imageSize));
          clouds[index] ??= subsampleCloud(digitCloud(digit(index)), keep, new Random(seed, 'mnist3d', split, index));
          return { image: fromBytes(images[index]), cloud: clouds[index] };
        }),
    },
    labels: { classNames: CLASS_NAMES, values: Int32Array.from(labels) },
  };
}

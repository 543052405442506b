/**
 * 3D MNIST: the recipe against the published set (if the data are present), and the readers' errors. `ROMO_DATA` is the
 * folder that contains `mnist/` and `3dmnist/`; default `../shared/data`.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openData } from '../../src/data/open.ts';
import { resizeImage } from '../../src/data/resize.ts';
import { digitCloud, digitImage } from '../../src/data/sets/digit.ts';
import { findIdxFile, readIdxImages, readIdxLabels } from '../../src/data/sets/idx.ts';
import type { AnySplit, DataOptions, Labels } from '../../src/data/types.ts';
import { readNpz } from '../../src/files/read.ts';

const test = suite('mnist3d');
const folder = process.env.ROMO_DATA ?? '../shared/data';
const mnist = join(folder, 'mnist');
const oracle = join(folder, '3dmnist', '3dmnist_voxelgrid8.npz');

/** Runs the test if the data are present, otherwise reports that it is skipped. */
function testWithData(name: string, needed: string, body: () => Promise<void>): void {
  if (existsSync(needed)) test(name, body);
  else console.log(`mnist3d: skipped, ${needed} is missing (set ROMO_DATA): ${name}`);
}

const options: DataOptions = { imageSize: 32, points: 256, train: 20, test: 10, seed: 0 };

testWithData('the first training digit has 25,700 points', mnist, async () => {
  const { pixels } = await readIdxImages(await findIdxFile(mnist, 'train-images-idx3-ubyte'), 1);
  const cloud = digitCloud(pixels);
  assert.is(cloud.length / 3, 25_700);
  assert.is(pixels.length, 784);
});

testWithData('voxel features agree with those of the published clouds', oracle, async () => {
  const { pixels } = await readIdxImages(await findIdxFile(mnist, 'train-images-idx3-ubyte'), 100);
  const published = Float32Array.from((await (await readNpz(oracle)).array('X_train')).data); // [5000, 512]
  let sum = 0;
  for (let i = 0; i < 100; i++) {
    const ours = voxelFeatures(digitCloud(pixels.subarray(784 * i, 784 * (i + 1))));
    sum += correlation(ours, published.subarray(512 * i, 512 * (i + 1)));
  }
  assert.ok(sum / 100 >= 0.965, `mean correlation ${sum / 100}`);
});

testWithData('opens as pairs with labels apart; the same seed gives the same clouds', mnist, async () => {
  const data = await openData(`mnist3d:${mnist}`, options);
  assert.equal([...(data.train.labels as Labels).values.slice(0, 10)], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]); // MNIST's first ten
  assert.equal([...(data.test.labels as Labels).values.slice(0, 5)], [7, 2, 1, 0, 4]);
  assert.is(data.mirror, false);
  assert.is(data.rotation.axis, 0);
  const { pairs } = data.train;
  assert.is(pairs.length, 20);
  assert.equal(pairs.imageShape, [32, 32, 1]);
  const [{ image, cloud }] = await pairs.load([3]);
  assert.is(image.length, 32 * 32);
  assert.is(cloud.length, 3 * 1024);
  assert.is(new Set(Array.from({ length: 20 }, (_, i) => pairs.id(i))).size, 20);
  const again = await openData(`mnist3d:${mnist}`, options);
  const later = await openData(`mnist3d:${mnist}`, { ...options, seed: 1 });
  const cloudOf = async (split: AnySplit) => (await split.pairs.load([3]))[0].cloud;
  assert.equal(await cloudOf(again.train), cloud);
  assert.not.equal(await cloudOf(later.train), cloud);
  assert.not.equal(await cloudOf(data.test), cloud);
});

testWithData('more objects than the file has are refused', mnist, async () => {
  await rejects(openData(`mnist3d:${mnist}`, { ...options, test: 10_001 }), /10001 test objects.*there are 10000/);
});

test('a lone pixel is a box with 650 points, depth six times its side; a block of two has 1,000', () => {
  const pixels = new Uint8Array(784);
  pixels[28 * 10 + 10] = 9;
  const cloud = digitCloud(pixels);
  assert.is(cloud.length / 3, 50 + 4 * 150);
  assert.ok(Math.abs(extent(cloud, 0) - 1) < 1e-6);
  assert.ok(Math.abs(extent(cloud, 1) - 1 / 6) < 1e-6);
  assert.ok(Math.abs(extent(cloud, 2) - 1 / 6) < 1e-6);
  pixels[28 * 10 + 11] = 1;
  assert.is(digitCloud(pixels).length / 3, 2 * (50 + 3 * 150));
  assert.ok(Math.abs(extent(digitCloud(pixels), 1) - 2 / 6) < 1e-6); // two columns wide
  assert.ok(Math.abs(extent(digitCloud(pixels), 2) - 1 / 6) < 1e-6);
});

test('up in the image is up in the cloud, and columns run along axis 1', () => {
  const pixels = new Uint8Array(784);
  for (let row = 5; row < 20; row++) pixels[28 * row + 8] = 255; // a stem ...
  for (let column = 8; column < 14; column++) pixels[28 * 19 + column] = 255; // ... with a foot to the right: an L
  const cloud = digitCloud(pixels);
  let [right, lowest, highest] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < cloud.length; i += 3) if (cloud[i + 1] > cloud[3 * right + 1]) right = i / 3;
  for (let i = 2; i < cloud.length; i += 3) {
    lowest = Math.min(lowest, cloud[i]);
    highest = Math.max(highest, cloud[i]);
  }
  assert.ok(cloud[3 * right + 2] < lowest + 0.1 * (highest - lowest));
  const image = digitImage(pixels);
  assert.is(image[30 * 6 + 9], 1);
  assert.is(
    image.reduce((sum, value) => sum + value, 0),
    20,
  );
});

test('resizing keeps a constant image, the mean when shrinking, and is exact at the same size', () => {
  const flat = new Float32Array(30 * 30).fill(0.25);
  for (const size of [8, 20, 30, 32, 64]) {
    assert.ok(resizeImage(flat, [30, 30, 1], size).every((value) => Math.abs(value - 0.25) < 1e-6));
  }
  const dot = new Float32Array(30 * 30 * 2);
  dot[2 * (30 * 15 + 15) + 1] = 1; // in the second channel only
  const shrunk = resizeImage(dot, [30, 30, 2], 15);
  const channelSum = (channel: number): number => shrunk.reduce((sum, v, i) => sum + (i % 2 === channel ? v : 0), 0);
  assert.is(channelSum(0), 0);
  assert.ok(Math.abs(channelSum(1) - 0.25) < 1e-6);
  assert.equal(resizeImage(dot, [30, 30, 2], 30), dot);
});

test('IDX files: gzipped or plain, and errors that name the file', async () => {
  const place = mkdtempSync(join(tmpdir(), 'romo-idx-'));
  try {
    await rejects(openData(`mnist3d:${place}`, options), /has neither train-images-idx3-ubyte/);
    await rejects(openData(`mnist3d:${join(place, 'none')}`, options), /cannot read the folder .*none/);
    const images = idx(2051, [2, 28, 28], 1568);
    const write = (name: string, bytes: Uint8Array): string => {
      writeFileSync(join(place, name), bytes);
      return join(place, name);
    };
    const plain = write('t10k-images.idx3-ubyte', images);
    assert.is(await findIdxFile(place, 't10k-images-idx3-ubyte'), plain);
    assert.is((await readIdxImages(plain)).count, 2);
    assert.is((await readIdxImages(plain, 1)).pixels.length, 784);
    const packed = write('train-images-idx3-ubyte.gz', gzipSync(images));
    assert.equal((await readIdxImages(packed)).pixels, (await readIdxImages(plain)).pixels);
    await rejects(
      readIdxLabels(plain),
      /images.idx3-ubyte is not an IDX file of labels: magic number 2051, expected 2049/,
    );
    await rejects(readIdxImages(write('short', images.subarray(0, 999))), /short should have .* it has 983/);
    await rejects(readIdxImages(write('torn.gz', gzipSync(images).subarray(0, 40))), /cannot read .*torn.gz/);
    await rejects(readIdxImages(write('empty', new Uint8Array(0))), /empty is not an IDX file of images: 0 bytes/);
  } finally {
    rmSync(place, { recursive: true });
  }
});

test('what is no data set is refused', async () => {
  await rejects(openData('mnist3d:', options), /lacks a folder/);
  await rejects(openData('mnist3d', options), /lacks a folder/);
  await rejects(openData('cubes', options), /'cubes' is not known.*shapes, or mnist3d:DIR/);
  await rejects(openData('shapes:here', options), /'shapes:here' is not known/);
  await rejects(openData('shapes', { ...options, train: 0 }), /train is 0, not a whole number of at least 1/);
  await rejects(
    openData('shapes', { ...options, imageSize: 2.5 }),
    /imageSize is 2.5, not a whole number from 8 to 4096/,
  );
});

async function rejects(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  let message = 'no error';
  try {
    await promise;
  } catch (error) {
    message = (error as Error).message;
  }
  assert.match(message, pattern);
}

function idx(magic: number, sizes: number[], values: number): Uint8Array {
  const bytes = Buffer.alloc(4 + 4 * sizes.length + values);
  bytes.writeUInt32BE(magic, 0);
  for (const [i, size] of sizes.entries()) bytes.writeUInt32BE(size, 4 + 4 * i);
  for (let i = 0; i < values; i++) bytes[4 + 4 * sizes.length + i] = i % 251;
  return bytes;
}

function extent(cloud: Float32Array, axis: number): number {
  const values = cloud.filter((_, i) => i % 3 === axis);
  return values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b));
}

/**
 * Counts in an 8 x 8 x 8 grid over the cubic bounding box, divided by the largest count; index iz * 64 + ix * 8 + iy. A
 * point on the border of two cells (to 1e-4 of a cell, for rounding) belongs to the lower one, as published.
 */
function voxelFeatures(cloud: Float32Array): Float64Array {
  const low = [0, 0, 0];
  const high = [0, 0, 0];
  for (let i = 0; i < cloud.length; i++) {
    low[i % 3] = Math.min(low[i % 3], cloud[i]);
    high[i % 3] = Math.max(high[i % 3], cloud[i]);
  }
  const side = Math.max(...low.map((value, axis) => high[axis] - value));
  const cell = (i: number, axis: number): number => {
    const start = (low[axis] + high[axis] - side) / 2;
    return Math.max(0, Math.ceil((8 * (cloud[i + axis] - start)) / side - 1e-4) - 1);
  };
  const counts = new Float64Array(512);
  for (let i = 0; i < cloud.length; i += 3) counts[64 * cell(i, 2) + 8 * cell(i, 0) + cell(i, 1)] += 1;
  const largest = counts.reduce((a, b) => Math.max(a, b));
  return counts.map((count) => count / largest);
}

function correlation(a: Float64Array, b: Float32Array): number {
  const centred = (values: ArrayLike<number>): number[] => {
    const list = Array.from(values);
    const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
    return list.map((value) => value - mean);
  };
  const [x, y] = [centred(a), centred(b)];
  const dot = (p: number[], q: number[]): number => p.reduce((sum, value, i) => sum + value * q[i], 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

test.run();

/**
 * Augmentation of images and clouds, drawn again each time a network sees an object. The networks learn what stays the
 * same under it: without labels, only augmentation shows them which differences do not matter.
 *
 * - `none`: for evaluation; the unchanged image, always the same points of the cloud.
 * - `mild`: images are shifted, mirrored where allowed, slightly brighter or darker; clouds are scaled per axis and
 *   shifted, as the 3D MNIST experiments do.
 * - `strong`: images undergo a random affine map and a jitter of brightness and contrast; clouds are also rotated and
 *   sheared, but scaled and shifted less: both together left too little of a shape.
 */
import { RomoError } from '../tensor/error.ts';
import { cos, sin } from '../tensor/exact.ts';
import type { Random } from '../tensor/random.ts';
import { type Sampling, sampleCloud } from './subsample.ts';
import type { CloudRotation, Strength } from './types.ts';

const DEGREE = 0.017453292519943295;

/**
 * @param image [H, W, C], values 0..1
 * @param mirror whether the image may be mirrored; if so, half of them are
 * @param out [H, W, C], must not be the array of `image`
 */
export function augmentImage(
  image: Float32Array,
  shape: readonly [number, number, number],
  strength: Strength,
  mirror: boolean,
  random: Random,
  out: Float32Array,
): void {
  const size = shape[0] * shape[1] * shape[2];
  if (image.length !== size || out.length !== size) {
    throw new RomoError(
      'shape',
      `augmentImage: shape [${shape}] needs ${size} values, image has ${image.length}, out ${out.length}`,
      'Pass arrays of the size of the shape.',
    );
  }
  if (strength === 'none') {
    out.set(image);
    return;
  }
  const flip = mirror && random.integer(2) === 1 ? -1 : 1;
  if (strength === 'mild') {
    const reach = Math.max(1, Math.floor(shape[1] / 16)); // 2 of 32 pixels
    const shiftX = random.integer(2 * reach + 1) - reach;
    const shiftY = random.integer(2 * reach + 1) - reach;
    warp(image, shape, [flip, 0, shiftX, 0, 1, shiftY], out);
    adjust(out, random.uniform(0.9, 1.1), 1);
    return;
  }
  const angle = random.uniform(-20, 20) * DEGREE;
  const scale = random.uniform(0.75, 1.25);
  const shear = random.uniform(-0.2, 0.2);
  const shiftX = random.uniform(-0.1, 0.1) * shape[1];
  const shiftY = random.uniform(-0.1, 0.1) * shape[0];
  const c = cos(angle) / scale;
  const s = sin(angle) / scale;
  warp(image, shape, [flip * (c + shear * s), flip * (shear * c - s), shiftX, s, c, shiftY], out);
  adjust(out, random.uniform(0.8, 1.2), random.uniform(0.8, 1.2));
}

/**
 * @param cloud [P, 3], any P from 1
 * @param sampling of the points: without replacement if P suffices, otherwise all points plus repetitions
 * @param rotation axis and largest angle of the rotation, used by `strong` only
 * @param out [points, 3]
 */
export function augmentCloud(
  cloud: Float32Array,
  sampling: Sampling,
  strength: Strength,
  rotation: CloudRotation,
  random: Random,
  out: Float32Array,
): void {
  const total = cloud.length / 3;
  if (!(total >= 1 && Number.isInteger(total)) || out.length !== 3 * sampling.points) {
    throw new RomoError(
      'shape',
      `augmentCloud: cloud has ${cloud.length} values, out has ${out.length} for ${sampling.points} points`,
      'Pass a cloud [P, 3] of at least one point and out of [points, 3].',
    );
  }
  sampleCloud(cloud, sampling, strength === 'none' ? undefined : random, out);
  if (strength === 'none') return;
  const map = cloudMap(strength, rotation, random);
  for (let point = 0; point < out.length; point += 3) {
    const [x, y, z] = [out[point], out[point + 1], out[point + 2]];
    for (let axis = 0; axis < 3; axis++) {
      const row = 4 * axis;
      out[point + axis] = map[row] * x + map[row + 1] * y + map[row + 2] * z + map[row + 3];
    }
  }
}

/** A random affine map [3, 4]: shear and rotation about the axis (`strong` only), then scale per axis, then shift. */
function cloudMap(strength: 'mild' | 'strong', rotation: CloudRotation, random: Random): number[] {
  const map = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0];
  if (strength === 'strong') {
    const u = (rotation.axis + 1) % 3; // the plane of the rotation
    const v = (rotation.axis + 2) % 3;
    const angle = random.uniform(-rotation.maxDegrees, rotation.maxDegrees) * DEGREE;
    const shear = random.uniform(-0.2, 0.2);
    const c = cos(angle);
    const s = sin(angle);
    map[4 * u + u] = c;
    map[4 * u + v] = shear * c - s;
    map[4 * v + u] = s;
    map[4 * v + v] = shear * s + c;
  }
  const [most, reach] = strength === 'strong' ? [5 / 4, 0.05] : [3 / 2, 0.2];
  for (let axis = 0; axis < 3; axis++) {
    const scale = random.uniform(1 / most, most);
    for (let column = 0; column < 3; column++) map[4 * axis + column] *= scale;
    map[4 * axis + 3] = random.uniform(-reach, reach);
  }
  return map;
}

/**
 * Bilinear sampling under an affine map about the centre: the pixel at (x, y) takes the image's value at (a x + b y +
 * c, d x + e y + f). Outside the image, the border's value is used.
 */
function warp(
  image: Float32Array,
  [height, width, channels]: readonly [number, number, number],
  [a, b, c, d, e, f]: readonly [number, number, number, number, number, number],
  out: Float32Array,
): void {
  const centreX = (width - 1) / 2;
  const centreY = (height - 1) / 2;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sourceX = clamp(a * (x - centreX) + b * (y - centreY) + c + centreX, 0, width - 1);
      const sourceY = clamp(d * (x - centreX) + e * (y - centreY) + f + centreY, 0, height - 1);
      const left = Math.floor(sourceX);
      const top = Math.floor(sourceY);
      const right = Math.min(left + 1, width - 1);
      const bottom = Math.min(top + 1, height - 1);
      const alongX = sourceX - left;
      const alongY = sourceY - top;
      for (let channel = 0; channel < channels; channel++) {
        const at = (row: number, column: number): number => image[(row * width + column) * channels + channel];
        const upper = at(top, left) * (1 - alongX) + at(top, right) * alongX;
        const lower = at(bottom, left) * (1 - alongX) + at(bottom, right) * alongX;
        out[(y * width + x) * channels + channel] = upper * (1 - alongY) + lower * alongY;
      }
    }
  }
}

/** Multiplies by `brightness`, scales around the image's mean by `contrast`, and clamps to 0..1. In place. */
function adjust(image: Float32Array, brightness: number, contrast: number): void {
  let sum = 0;
  for (const value of image) sum += value;
  const mean = (brightness * sum) / image.length;
  for (let i = 0; i < image.length; i++) {
    image[i] = clamp(mean + contrast * (brightness * image[i] - mean), 0, 1);
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/**
 * What happens to an object before a network sees it. Index, query, evaluate and the pages all use these functions, so an
 * object of a gallery that is asked again gets the same embedding. The random points of a cloud are seeded by its
 * content, never by a name. Runs in browsers too; prepare_picture.ts reads picture files.
 */
import { badFile } from '../files/errors.ts';
import { type Geometry, longestSide } from '../files/geometry.ts';
import { fromBytes, toBytes } from '../files/pixels.ts';
import { RomoError } from '../tensor/error.ts';
import { fnv1a32, Random } from '../tensor/random.ts';
import { normalizeCloud } from './normalize.ts';
import { fitImage, type Pixels } from './resize.ts';
import type { Surface } from './shapes/mesh.ts';
import { samplePoints } from './shapes/sampling.ts';
import { surfaceOf } from './shapes/surface.ts';
import { type Sampling, subsampleCloud } from './subsample.ts';

/** The axis of a 3D file that points up. */
export type Axis = 'x' | 'y' | 'z';

/** The part of a file's geometry that matters. */
export type Shape = Pick<Geometry, 'positions' | 'triangles'>;

/** Sizes and rules of the preparation. A model determines all of them but `up`, see `preparationOf`. */
export interface Preparation extends Sampling {
  /** height and width of the images in pixels */
  readonly imageSize: number;
  readonly channels: 1 | 3;
  /** grey value, 0..1, around pictures that are not square, behind transparency, and outside a mask */
  readonly background: number;
  /** clouds with fewer points are rejected, since DGCNN's graphs need k neighbours */
  readonly leastPoints: number;
  readonly seed: number;
  /** the axis that points up in files whose format does not define it */
  readonly up: Axis;
}

/** A cloud of fewer points has no shape. */
const LEAST_POINTS = 4;

/** Points to keep per cloud: twice what a network takes, so that random draws differ from epoch to epoch. */
export const keptPoints = (points: number): number => Math.max(1024, 2 * points);

/** The axis that points up in a file. The glTF specification (3.4) fixes it: y. */
export const upOf = (name: string, up: Axis): Axis => (/\.(glb|gltf)$/i.test(name) ? 'y' : up);

/** Rotates so that z points up: (x, y, z) -> (x, -z, y) if y did, (-z, y, x) if x did. */
function upright({ positions, triangles }: Shape, up: Axis): Shape {
  if (up === 'z') return { positions, triangles };
  const [from, sign] =
    up === 'y'
      ? [
          [0, 2, 1],
          [1, -1, 1],
        ]
      : [
          [2, 1, 0],
          [-1, 1, 1],
        ];
  return { positions: positions.map((_, i) => sign[i % 3] * positions[i - (i % 3) + from[i % 3]]), triangles };
}

/** The random stream of an object: equal values give equal draws, whatever the files and their formats are called. */
export function contentRandom(seed: number, values: ArrayLike<number>, triangles: Uint32Array | null = null): Random {
  const floats = Float32Array.from(values, (value) => value + 0); // 0 and -0 are the same place
  const faces = triangles ? [fnv1a32(bytesOf(triangles))] : [];
  return new Random(seed, 'cloud', fnv1a32(bytesOf(floats)), ...faces);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Uint32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/**
 * A cloud from any 3D file: turned upright, normalised, with its points in random order. Meshes are sampled uniformly
 * over their surface, clouds are subsampled.
 * @param name of the file; `.glb` and `.gltf` decide the axis that points up, and errors name it
 * @returns [P, 3], P at most keptPoints(points); a network takes `sampleCloud(cloud, preparation)`
 * @throws RomoError `file` if there are too few points, they all coincide, or the surface has no area
 */
export function prepareCloud(geometry: Shape, name: string, preparation: Preparation): Float32Array {
  if (geometry.triangles) return prepareMesh(geometry, name, preparation).cloud;
  const { positions } = upright(geometry, upOf(name, preparation.up));
  const { points, leastPoints, seed } = preparation;
  const count = positions.length / 3;
  const least = Math.max(leastPoints, LEAST_POINTS);
  if (count < least) {
    const fix =
      leastPoints > LEAST_POINTS ? 'Give a denser cloud, or lower --k-ssm and --k-rdl.' : 'Give a denser cloud.';
    throw badFile(name, `has ${count} points, fewer than ${least}`, fix);
  }
  if (longestSide({ positions }) === 0) {
    throw badFile(name, `its ${count} points all coincide`, 'Export the cloud again.');
  }
  return subsampleCloud(normalizeCloud(positions), keptPoints(points), contentRandom(seed, positions));
}

/** The surface of a mesh, to be rendered, and the cloud that `prepareCloud` samples from it. */
export function prepareMesh(
  geometry: Shape,
  name: string,
  { points, seed, up }: Pick<Preparation, 'points' | 'seed' | 'up'>,
): { surface: Surface; cloud: Float32Array } {
  const turned = upright(geometry, upOf(name, up));
  const surface = surfaceOf(turned, name);
  const random = contentRandom(seed, turned.positions, turned.triangles);
  return { surface, cloud: samplePoints(surface, keptPoints(points), random) };
}

/**
 * An image from decoded pixels: scaled to fit, centred on the background, with the channels that the network takes, and rounded
 * to bytes, as data sets keep it.
 * @param image [height, width, channels], values 0..1 or bytes, 1 or 3 channels
 * @returns [imageSize, imageSize, preparation.channels], values 0..1, multiples of 1/255
 * @throws RomoError `shape` if the values do not form such an image
 */
export function prepareImage(
  image: Pixels,
  [height, width, channels]: readonly [number, number, number],
  preparation: Pick<Preparation, 'imageSize' | 'channels' | 'background'>,
): Float32Array {
  if (image.length !== height * width * channels || image.length === 0 || (channels !== 1 && channels !== 3)) {
    throw new RomoError(
      'shape',
      `prepareImage: ${image.length} values are not an image [${height}, ${width}, ${channels}] of 1 or 3 channels`,
      'Pass the decoded pixels with their height, width and channels.',
    );
  }
  const fitted = fitImage(image, [height, width, channels], preparation.imageSize, preparation.background);
  return fromBytes(toBytes(channels === preparation.channels ? fitted : otherChannels(fitted, channels)));
}

/** Grey to three equal channels, or colour to luma. */
function otherChannels(image: Float32Array, channels: 1 | 3): Float32Array {
  if (channels === 1) return Float32Array.from({ length: 3 * image.length }, (_, i) => image[Math.floor(i / 3)]);
  return Float32Array.from(
    { length: image.length / 3 },
    (_, i) => 0.299 * image[3 * i] + 0.587 * image[3 * i + 1] + 0.114 * image[3 * i + 2],
  );
}

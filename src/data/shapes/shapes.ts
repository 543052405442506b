/**
 * The built-in data set: generated objects of ten classes. Each is an upright mesh with random proportions and parts,
 * rotated at random about z. It gives a point cloud, uniform over its surface, and one shaded view from a random
 * direction. The front of an object is unknown, so comparing voxels or pixels is not enough. An object depends only on
 * the seed, the split and its index, with the same bits in every engine.
 */

import { fromBytes, toBytes, withChannels } from '../../files/pixels.ts';
import { Random } from '../../tensor/random.ts';
import type { DataOptions, Split } from '../types.ts';
import { chair, lamp, table } from './furniture.ts';
import { type Mesh, normalizeMesh, turn } from './mesh.ts';
import { randomView, rasterise } from './rasterise.ts';
import { samplePoints } from './sampling.ts';
import { bottle, guitar, mug, tree } from './things.ts';
import { aeroplane, boat, car } from './vehicles.ts';

const MAKERS: readonly [string, (random: Random) => Mesh][] = [
  ['aeroplane', aeroplane],
  ['boat', boat],
  ['bottle', bottle],
  ['car', car],
  ['chair', chair],
  ['guitar', guitar],
  ['lamp', lamp],
  ['mug', mug],
  ['table', table],
  ['tree', tree],
];

/** The names of the classes, by index. */
export const SHAPE_CLASSES: readonly string[] = MAKERS.map(([name]) => name);

/** A random object of a class, with the centroid of its surface at the origin, longest side 1, z up and front +x. */
export function makeShape(classIndex: number, random: Random): Mesh {
  return normalizeMesh(MAKERS[classIndex][1](random));
}

/** Class of an object. Each ten consecutive objects have every class once, in random order. */
export function shapeClass(seed: number, split: 'train' | 'test', index: number): number {
  const count = MAKERS.length;
  const order = new Random(seed, 'shapes', split, 'classes', Math.floor(index / count)).permutation(count);
  return order[index % count];
}

/** Generates objects. Yields to other work occasionally, so that a page or a progress bar stays responsive. */
export async function makeSplit(
  split: 'train' | 'test',
  length: number,
  { imageSize, points, seed, channels = 1 }: DataOptions,
  onProgress: (done: number) => void,
): Promise<Split> {
  const images: Uint8Array[] = [];
  const clouds: Float32Array[] = [];
  const classes = new Int32Array(length);
  for (let index = 0; index < length; index++) {
    classes[index] = shapeClass(seed, split, index);
    const random = new Random(seed, 'shapes', split, 'object', index);
    const mesh = turn(makeShape(classes[index], random), 'z', random.uniform(0, 360));
    const view = randomView(new Random(seed, 'shapes', split, 'view', index));
    images.push(toBytes(rasterise(mesh, view, imageSize)));
    clouds.push(samplePoints(mesh, Math.max(1024, 2 * points), new Random(seed, 'shapes', split, 'points', index)));
    if (index % 25 === 24 || index === length - 1) {
      onProgress(index + 1);
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  return {
    pairs: {
      name: `shapes ${split}`,
      length,
      imageShape: [imageSize, imageSize, channels],
      id: (index) => `${split}/${index}`,
      load: async (indices) =>
        Array.from(indices, (index) => ({
          image: fromBytes(withChannels(images[index], channels)),
          cloud: clouds[index],
        })),
    },
    labels: { classNames: SHAPE_CLASSES, values: classes },
  };
}

/** The model that embeds a collection and its queries, and single files in the form that it takes. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { augmentCloud } from '../data/augment.ts';
import { cloudFromGeometry } from '../data/sets/object.ts';
import { readImage } from '../files/image.ts';
import { readGeometry } from '../files/read.ts';
import { embedClouds, embedImages } from '../romo/embedding.ts';
import { type LoadedEncoders, loadEncoders } from '../romo/run/model_file.ts';
import type { ModelStamp } from '../search/gallery.ts';
import type { Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { Random } from '../tensor/random.ts';

/** A model file that is not on the GPU yet. */
export interface ModelFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** @param path a run folder, or its model.safetensors */
export function readModelFile(path: string): ModelFile {
  try {
    const file = statSync(path).isDirectory() ? join(path, 'model.safetensors') : path;
    const bytes = readFileSync(file);
    return { path: file, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
  } catch (cause) {
    const fix = 'Name the folder of a finished run, the --out of node dist/train.js.';
    throw new RomoError('file', `cannot read the model of ${path}: ${(cause as Error).message}`, fix);
  }
}

export const loadModelFile = (gpu: Gpu, { bytes, path }: ModelFile): LoadedEncoders => loadEncoders(gpu, bytes, path);

export const stampOf = ({ sha256 }: ModelFile, { encoders, stage }: LoadedEncoders): ModelStamp => ({
  sha256,
  stage,
  dimension: encoders.dimension,
});

/** A query as the network sees it. */
export interface Query {
  /** [d], unit length */
  readonly vector: Float32Array;
  /** [H, W, C] of an image, or [P, 3] of a cloud */
  readonly content: Float32Array;
}

/** The pictures of these sets have a white background; digits and rendered shapes a black one. */
const ON_WHITE = /^(folder|rgbd)(:|$)/;

/** @throws RomoError `file` where the file is not a picture */
export async function embedImageFile(model: LoadedEncoders, path: string): Promise<Query> {
  const [size, , channels] = model.imageShape;
  const background = ON_WHITE.test(model.config.data) ? 1 : 0;
  const content = await readImage(path, { size, channels: channels as 1 | 3, background });
  return { vector: await embedImages(model, content), content };
}

/** @throws RomoError `file` where the file is neither a mesh nor a cloud, or has too few points */
export async function embedCloudFile(model: LoadedEncoders, path: string): Promise<Query> {
  const { config, stage, imageShape } = model;
  const { points, seed, pointEncoder } = config;
  const cloud = cloudFromGeometry(
    await readGeometry(path),
    {
      points,
      seed,
      leastPoints: pointEncoder === 'dgcnn' ? config[stage].k : 1,
      imageSize: config.imageSize,
      channels: imageShape[2] as 1 | 3,
      views: 1,
      cacheFolder: null,
    },
    new Random(seed, 'cloud', path),
    path,
  );
  const content = new Float32Array(3 * points);
  augmentCloud(cloud, points, 'none', { axis: 2, maxDegrees: 0 }, new Random(seed), content);
  return { vector: await embedClouds(model, content), content };
}

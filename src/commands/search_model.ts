/** The model that embeds a collection and its queries, and single files in the form that it takes. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Axis, prepareCloud } from '../data/prepare.ts';
import { preparePicture } from '../data/sets/prepare_picture.ts';
import { sampleCloud } from '../data/subsample.ts';
import { fromBytes } from '../files/pixels.ts';
import { readGeometry } from '../files/read.ts';
import { summarize } from '../files/remarks.ts';
import { embedClouds, embedImages } from '../romo/embedding.ts';
import { type LoadedEncoders, loadEncoders } from '../romo/run/model_file.ts';
import type { ModelStamp } from '../search/gallery.ts';
import type { Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';

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

/** Changes with the rules of src/data/prepare.ts, so that galleries made by others are refused. */
const PREPARATION_VERSION = 2;

/** @param up the axis that points up in the files of the collection */
export function stampOf(
  { sha256 }: ModelFile,
  { encoders, stage, config, preparation }: LoadedEncoders,
  up: Axis,
): ModelStamp {
  const { imageSize, channels, background, points, sampling, seed } = preparation;
  const normalization = config.imageNormalization ?? 'none';
  const version = PREPARATION_VERSION;
  return {
    sha256,
    stage,
    dimension: encoders.dimension,
    preparation: {
      ...(sampling && { sampling }), // undefined in runs from before it could be chosen
      ...{ version, imageSize, channels, background, normalization, points, seed, up },
    },
  };
}

/** A query as the network sees it. */
export interface Query {
  /** [d], unit length */
  readonly vector: Float32Array;
  /** [H, W, C] of an image, or [P, 3] of a cloud */
  readonly content: Float32Array;
  /** what was done to the file beyond reading it, in sentences */
  readonly remarks: readonly string[];
}

/**
 * @param mask see `preparePicture`
 * @throws RomoError `file` where the file is not a picture
 */
export async function embedImageFile(model: LoadedEncoders, path: string, mask: string | undefined): Promise<Query> {
  const content = fromBytes((await preparePicture(path, mask, model.preparation)).pixels);
  return { vector: await embedImages(model, content), content, remarks: [] };
}

/** @throws RomoError `file` where the file is neither a mesh nor a cloud, or has too few points */
export async function embedCloudFile(model: LoadedEncoders, path: string, up: Axis): Promise<Query> {
  const geometry = await readGeometry(path);
  const content = sampleCloud(prepareCloud(geometry, path, { ...model.preparation, up }), model.preparation);
  return { vector: await embedClouds(model, content), content, remarks: summarize([geometry.remarks]) };
}

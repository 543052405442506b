/** `--image-weights` and `--point-weights`: encoders that start from weights trained elsewhere. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { decodeSafetensors } from '../files/safetensors.ts';
import { type ConvertedWeights, convertWeights } from '../model/convert.ts';
import type { Floats } from '../model/module.ts';
import type { Config } from '../romo/config.ts';
import type { Pretrained } from '../romo/encoders.ts';
import { RomoError } from '../tensor/error.ts';

interface WeightsFile {
  readonly file: string;
  readonly sha256: string;
  readonly weights: ConvertedWeights;
}

/** Reads weights under the names of torchvision, timm or the official DGCNN. */
export function readWeights(file: string): WeightsFile {
  if (/\.(pth|pt|bin|ckpt|t7)$/.test(file)) {
    throw new RomoError(
      'file',
      `${file} is a PyTorch pickle`,
      `First convert it with python tools/pth_to_safetensors.py '${file}' weights.safetensors.`,
    );
  }
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new RomoError('file', `cannot read ${file}: ${(cause as Error).message}`, 'Give a safetensors file.');
  }
  const { tensors } = decodeSafetensors(bytes, file);
  const weights = convertWeights(tensors as Record<string, Floats>, file);
  for (const [name, { data }] of Object.entries(weights.state)) {
    const wrong = data.findIndex((value) => !Number.isFinite(value));
    if (wrong < 0) continue;
    const what = `the tensor ${name} holds ${data[wrong]}, at position ${wrong}`;
    throw new RomoError(
      'state-dict',
      `${file}: ${what}`,
      'Use another checkpoint; the training that made this one failed.',
    );
  }
  return { file, sha256: createHash('sha256').update(bytes).digest('hex'), weights };
}

/** What a run records of the weights it started from. */
export interface PretrainedRecord {
  readonly image?: object;
  readonly points?: object;
  readonly labelFree: string;
}

export interface UsedWeights {
  readonly pretrained: Pretrained;
  readonly record: PretrainedRecord;
}

/**
 * Reads the files that the configuration names and makes it fit them: depth, widths, channels. A configuration that
 * went through this before names their hashes, and other files are refused.
 * @param asked the options that the user set: they must fit already
 */
export function usePretrained(config: Config, asked: ReadonlySet<string> = new Set()): UsedWeights | null {
  const { image: imageFile, points: pointFile } = config.weights ?? {};
  if (!imageFile && !pointFile) return null;
  const image = imageFile ? readWeights(imageFile) : undefined;
  const points = pointFile ? readWeights(pointFile) : undefined;
  config.weights = {
    ...config.weights,
    ...(image ? { imageSha256: sameFile(image, config.weights?.imageSha256) } : {}),
    ...(points ? { pointsSha256: sameFile(points, config.weights?.pointsSha256) } : {}),
  };
  const fit = <K extends keyof Config>(file: string, key: K, value: Config[K]) => {
    if (asked.has(key) && `${config[key]}` !== `${value}`) {
      throw new RomoError('option', `${file} needs ${key} ${value}, not ${config[key]}`, 'Leave that option out.');
    }
    config[key] = value;
  };
  if (image) {
    const { file, weights } = image;
    if (weights.network.kind !== 'resnet') throw wrongKind(file, '--image-weights', 'ResNet', 'DGCNN');
    fit(file, 'resnet', weights.network.depth as Config['resnet']);
    fit(file, 'resnetWidth', weights.network.width);
    const channels = weights.state['conv1.weight'].shape[1];
    if (channels !== 1 && channels !== 3)
      throw new RomoError('state-dict', `${file} takes ${channels} channels`, 'Use weights for 1 or 3 channels.');
    if (config.set?.channels && config.set.channels !== channels) {
      throw new RomoError('option', `${file} takes ${channels} channels`, 'Leave --image-channels out.');
    }
    config.set = { ...config.set, channels };
    if (channels === 3) config.imageNormalization = 'imagenet';
  }
  if (points) {
    const { file, weights } = points;
    if (weights.network.kind !== 'dgcnn') throw wrongKind(file, '--point-weights', 'DGCNN', 'ResNet');
    fit(file, 'pointEncoder', 'dgcnn');
    fit(file, 'pointWidths', weights.network.widths);
  }
  return { pretrained: { image, cloud: points }, record: recordOf(image, points) };
}

function sameFile({ file, sha256 }: WeightsFile, before: string | undefined): string {
  if (before === undefined || before === sha256) return sha256;
  throw new RomoError('file', `${file} is not the file that the run started with`, 'Put that one back.');
}

const wrongKind = (file: string, option: string, wanted: string, found: string): RomoError =>
  new RomoError('option', `${option}: ${file} holds a ${found}`, `Give the weights of a ${wanted}.`);

function recordOf(image: WeightsFile | undefined, points: WeightsFile | undefined): PretrainedRecord {
  const entry = ({ file, sha256, weights }: WeightsFile) => ({ file, sha256, network: weights.network });
  return {
    ...(image ? { image: entry(image) } : {}),
    ...(points ? { points: entry(points) } : {}),
    labelFree: 'only if these weights were trained without labels of the classes that are evaluated; see docs/data.md',
  };
}

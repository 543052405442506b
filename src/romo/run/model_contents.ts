/** What a model file says, without a GPU: its configuration, and the tensors of its encoders. */
import type { Preparation } from '../../data/prepare.ts';
import { decodeSafetensors } from '../../files/safetensors.ts';
import { type StateDict, unprefixed } from '../../model/module.ts';
import { RomoError } from '../../tensor/error.ts';
import { type Config, parseConfig } from '../config.ts';
import { IMAGENET, preparationOf } from '../preparation.ts';

/** A model file without a GPU. */
export interface ModelContents {
  readonly config: Config;
  /** the stage that the encoders come from: the last one in the file */
  readonly stage: 'ssm' | 'rdl';
  /** what objects must undergo before they are embedded, see `prepareCloud` and `prepareImage` */
  readonly preparation: Preparation;
  /** what the image encoder does with prepared images first: (x - mean) / deviation, per channel; null: nothing */
  readonly normalization: { readonly mean: readonly number[]; readonly deviation: readonly number[] } | null;
  /** `image.*` and `points.*`, under PyTorch's names and in its layouts */
  readonly state: StateDict;
  readonly metadata: Readonly<Record<string, string>>;
}

export const FIX = 'Choose the model.safetensors of a finished run.';

/**
 * Reads a file that `node dist/train.js` wrote: what `encodeOnnx` of `romo/onnx` takes.
 * @param name what errors call the file
 * @throws RomoError `file` where the bytes are no such file
 */
export function readModel(bytes: Uint8Array, name = 'the model'): ModelContents {
  const { tensors, metadata } = decodeSafetensors(bytes, name);
  const config = configOf(metadata.config, name);
  const stage = Object.keys(tensors).some((key) => key.startsWith('rdl.')) ? 'rdl' : 'ssm';
  const state = unprefixed(tensors as StateDict, `${stage}.encoders.`);
  const stem = state['image.conv1.weight'];
  if (!stem) throw new RomoError('file', `${name} holds no encoders`, FIX);
  const channels = stem.shape[1];
  if (stem.shape.length !== 4 || (channels !== 1 && channels !== 3)) {
    throw new RomoError('file', `${name} is for images of ${channels} channels`, FIX);
  }
  const preparation: Preparation = { ...preparationOf(config), channels };
  const normalization = config.imageNormalization === 'imagenet' ? IMAGENET : null;
  return { config, stage, preparation, normalization, state, metadata };
}

function configOf(text: string | undefined, name: string): Config {
  if (text === undefined) throw new RomoError('file', `${name} has no configuration in its metadata`, FIX);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RomoError('file', `${name} has a broken configuration: ${(cause as Error).message}`, FIX);
  }
  return parseConfig(value, name);
}

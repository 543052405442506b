/** A trained model as one file: safetensors with PyTorch's names and layouts, and the configuration in its metadata. */

import type { Preparation } from '../../data/prepare.ts';
import { decodeSafetensors, encodeSafetensors, type SafetensorEntry } from '../../files/safetensors.ts';
import { type Module, type StateDict, unprefixed } from '../../model/module.ts';
import type { Gpu } from '../../tensor/device.ts';
import { RomoError } from '../../tensor/error.ts';
import { rehearse } from '../../tensor/rehearsal.ts';
import { type Config, parseConfig } from '../config.ts';
import type { ReadyEncoders } from '../embedding.ts';
import { Encoders } from '../encoders.ts';
import { preparationOf } from '../preparation.ts';

/** The bytes of a file of models under prefixes, such as `ssm` and `rdl`. Equal models give equal bytes. */
export async function encodeModels(
  models: Readonly<Record<string, Module>>,
  config: Config,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const tensors: Record<string, SafetensorEntry> = {};
  for (const [prefix, model] of Object.entries(models)) {
    for (const [name, { shape, data }] of Object.entries(await model.stateDict())) {
      tensors[`${prefix}.${name}`] = { shape, dtype: 'f32', data };
    }
  }
  return encodeSafetensors(tensors, { ...metadata, format: 'pt', config: JSON.stringify(config) });
}

/** Encoders from a file, ready to embed, and the sizes of their inputs. */
export interface LoadedEncoders extends ReadyEncoders {
  readonly config: Config;
  /** the stage that they come from: the last one in the file */
  readonly stage: 'ssm' | 'rdl';
  /** what objects must undergo before they are embedded, see `prepareCloud` and `prepareImage` */
  readonly preparation: Preparation;
  readonly metadata: Readonly<Record<string, string>>;
}

const FIX = 'Choose the model.safetensors of a finished run.';

/**
 * The encoders of a file that `node dist/train.js` wrote, in evaluation mode.
 * @param name what errors call the file
 * @throws RomoError `file` where the bytes are no such file, `state-dict` where its tensors do not fit its
 *   configuration
 */
export function loadEncoders(gpu: Gpu, bytes: Uint8Array, name = 'the model'): LoadedEncoders {
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
  const build = () => new Encoders(gpu, config, config[stage], channels, { seed: config.seed, path: stage });
  checkSize(gpu, bytes.length, name, () => build().checkStateDict(state, name));
  const encoders = build();
  encoders.loadStateDict(state, name);
  encoders.setTraining(false);
  const preparation = { ...preparationOf(config), channels } as const;
  const imageShape = [config.imageSize, config.imageSize, channels] as const;
  return { encoders, config, stage, imageShape, preparation, metadata };
}

/** Guards against a small file that describes a large model: allocates only once its tensors are known to fit. */
function checkSize(gpu: Gpu, bytes: number, name: string, build: () => void): void {
  try {
    rehearse(gpu, 2 * bytes + 2 ** 20, build);
  } catch (error) {
    if (!(error instanceof RomoError && error.code === 'memory')) throw error;
    throw new RomoError('file', `${name} is smaller than the model that its configuration describes`, FIX);
  }
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

/** A trained model as one file: safetensors with PyTorch's names and layouts, and the configuration in its metadata. */

import type { Preparation } from '../../data/prepare.ts';
import { encodeSafetensors, type SafetensorEntry } from '../../files/safetensors.ts';
import type { Module } from '../../model/module.ts';
import type { Gpu } from '../../tensor/device.ts';
import { RomoError } from '../../tensor/error.ts';
import { rehearse } from '../../tensor/rehearsal.ts';
import type { Config } from '../config.ts';
import type { ReadyEncoders } from '../embedding.ts';
import { Encoders } from '../encoders.ts';
import { FIX, readModel } from './model_contents.ts';

/**
 * The bytes of a file of models under prefixes, such as `ssm` and `rdl`. Equal models give equal bytes.
 * @param dtype f16 halves the file; weights are rounded to 11 bits
 */
export async function encodeModels(
  models: Readonly<Record<string, Module>>,
  config: Config,
  metadata: Readonly<Record<string, string>> = {},
  dtype: 'f32' | 'f16' = 'f32',
): Promise<Uint8Array> {
  const tensors: Record<string, SafetensorEntry> = {};
  for (const [prefix, model] of Object.entries(models)) {
    for (const [name, { shape, data }] of Object.entries(await model.stateDict())) {
      tensors[`${prefix}.${name}`] = { shape, dtype, data };
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

/**
 * The encoders of a file that `node dist/train.js` wrote, in evaluation mode.
 * @param name what errors call the file
 * @throws RomoError `file` where the bytes are no such file, `state-dict` where its tensors do not fit its
 *   configuration
 */
export function loadEncoders(gpu: Gpu, bytes: Uint8Array, name = 'the model'): LoadedEncoders {
  const { config, stage, preparation, state, metadata } = readModel(bytes, name);
  const { channels } = preparation;
  const build = () => new Encoders(gpu, config, config[stage], channels, { seed: config.seed, path: stage });
  checkSize(gpu, bytes.length, name, () => build().checkStateDict(state, name));
  const encoders = build();
  encoders.loadStateDict(state, name);
  encoders.setTraining(false);
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

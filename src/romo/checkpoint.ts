/**
 * A run's state as bytes: a safetensors file. Tensors: `stage.*`, what the current stage changes; `warm.*`, the warmed-up model;
 * `labels.*` and `epoch.*`, pseudo labels of the run and of the epoch under way. The metadata hold the rest as JSON.
 */
import { type StateDict, unprefixed } from '../model/module.ts';
import { decodeSafetensors, encodeSafetensors, type SafetensorEntry } from '../model/safetensors.ts';
import { RomoError } from '../tensor/error.ts';
import { type Config, parseConfig } from './config.ts';
import type { PseudoLabels } from './pseudo_labels.ts';
import type { RunState } from './run.ts';
import type { StageState } from './stage_state.ts';

/** What a checkpoint holds. */
export interface Checkpoint {
  readonly config: Config;
  readonly state: RunState;
  /** adapter on which it was made: another one rounds other last digits */
  readonly adapter: string;
  /** bytes of metrics.jsonl that belong to the steps so far */
  readonly metricsBytes: number;
}

const FORMAT = '1';

/** @param metadata free text beside the checkpoint's own */
export function encodeCheckpoint(
  { config, state, adapter, metricsBytes }: Checkpoint,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const { stage, warm, figures, seconds } = state;
  const tensors: Record<string, SafetensorEntry> = {};
  for (const [name, data] of Object.entries(stage.tensors)) {
    tensors[`stage.${name}`] = { shape: [data.length], dtype: 'f32', data };
  }
  for (const [name, { shape, data }] of Object.entries(warm?.model ?? {})) {
    tensors[`warm.${name}`] = { shape, dtype: 'f32', data };
  }
  const addLabels = (prefix: string, labels: PseudoLabels | null | undefined) => {
    for (const [name, data] of Object.entries(labels ?? {})) {
      tensors[`${prefix}.${name}`] = { shape: [data.length], dtype: 'i32', data };
    }
  };
  addLabels('labels', warm?.labels);
  addLabels('epoch', stage.labels);
  const position = { stage: stage.stage, epoch: stage.epoch, step: stage.step };
  return encodeSafetensors(tensors, {
    ...metadata,
    checkpoint: FORMAT,
    config: JSON.stringify(config),
    progress: JSON.stringify({ position, figures, seconds, adapter, metricsBytes }),
  });
}

type Progress = Pick<Checkpoint, 'adapter' | 'metricsBytes'> &
  Pick<RunState, 'figures' | 'seconds'> & { position: Pick<StageState, 'stage' | 'epoch' | 'step'> };

/**
 * What `encodeCheckpoint` wrote.
 * @param name what errors call the file
 * @throws RomoError `file` where the bytes are no checkpoint of this version
 */
export function decodeCheckpoint(bytes: Uint8Array, name: string): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes, name);
  if (metadata.checkpoint !== FORMAT) {
    throw new RomoError('file', `${name} is no checkpoint of format ${FORMAT}`, 'Use the version that wrote it.');
  }
  const config = parseConfig(JSON.parse(metadata.config), name);
  const { position, figures, seconds, adapter, metricsBytes } = JSON.parse(metadata.progress) as Progress;
  const labelsOf = (prefix: string): PseudoLabels | null => {
    const [images, points] = [tensors[`${prefix}.images`], tensors[`${prefix}.points`]];
    return images && points ? { images: images.data as Int32Array, points: points.data as Int32Array } : null;
  };
  const state = Object.entries(unprefixed(tensors as StateDict, 'stage.'));
  const stage = {
    ...position,
    tensors: Object.fromEntries(state.map(([key, { data }]) => [key, data])),
    labels: labelsOf('epoch'),
  };
  const labels = labelsOf('labels');
  const warm = labels && { model: unprefixed(tensors as StateDict, 'warm.'), labels };
  return { config, state: { stage, figures, seconds, warm }, adapter, metricsBytes };
}

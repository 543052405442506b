/**
 * A run's state as bytes: a safetensors file. Tensors: `stage.*`, what the current stage changes; `warm.*`, the
 * warmed-up model; `labels.*` and `epoch.*`, pseudo labels of the run and of the epoch under way. The metadata hold the
 * rest as JSON.
 */

import { decodeSafetensors, encodeSafetensors, type SafetensorEntry } from '../../files/safetensors.ts';
import { type StateDict, unprefixed } from '../../model/module.ts';
import { RomoError } from '../../tensor/error.ts';
import { type Config, parseConfig } from '../config.ts';
import type { PseudoLabels, StageState } from '../method/stage_state.ts';
import type { RunState } from './run.ts';

/** Contents of a checkpoint. */
export interface Checkpoint {
  readonly config: Config;
  readonly state: RunState;
  /** adapter that it was made on; another one may differ in the last digits */
  readonly adapter: string;
  /** bytes of metrics.jsonl that belong to the steps so far */
  readonly metricsBytes: number;
}

const FORMAT = '1';

/** @param metadata free text in addition to the checkpoint's own */
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
    if (!labels) return;
    // The file says `points` for clouds.
    const { images, clouds, confident } = labels;
    const stored = { images, points: clouds, ...(confident && { confident: Int32Array.from(confident) }) };
    for (const [name, data] of Object.entries(stored)) {
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

const broken = (name: string, what: string): RomoError =>
  new RomoError('file', `${name}: ${what}`, 'Continue from an older checkpoint, or start a new run.');

function parseJson(text: string | undefined, name: string): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch (cause) {
    throw broken(name, `its metadata are not JSON: ${(cause as Error).message}`);
  }
}

function isProgress(value: unknown): value is Progress {
  const { position, figures, seconds, adapter, metricsBytes } = Object(value);
  const { stage, epoch, step } = Object(position);
  const isCount = (number: unknown) => Number.isSafeInteger(number) && (number as number) >= 0;
  return (
    (stage === 'ssm' || stage === 'rdl') &&
    [epoch, step, metricsBytes].every(isCount) &&
    typeof adapter === 'string' &&
    Object(figures) === figures &&
    Object(seconds) === seconds &&
    Object.values(seconds as object).every(Number.isFinite)
  );
}

/**
 * Decodes the bytes that `encodeCheckpoint` wrote.
 * @param name of the file, for errors
 * @throws RomoError `file` if the bytes are not a checkpoint of this version
 */
export function decodeCheckpoint(bytes: Uint8Array, name: string): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes, name);
  if (metadata.checkpoint !== FORMAT) {
    throw new RomoError('file', `${name} is not a checkpoint of format ${FORMAT}`, 'Use the version that wrote it.');
  }
  const config = parseConfig(parseJson(metadata.config, name), name);
  const progress = parseJson(metadata.progress, name);
  if (!isProgress(progress)) throw broken(name, `invalid progress ${metadata.progress.slice(0, 300)}`);
  const { position, figures, seconds, adapter, metricsBytes } = progress;
  const labelsOf = (prefix: string): PseudoLabels | null => {
    const [images, clouds, confident] = ['images', 'points', 'confident'].map((of) => tensors[`${prefix}.${of}`]?.data);
    if (!images && !clouds) return null;
    if (!(images instanceof Int32Array && clouds instanceof Int32Array)) throw broken(name, `${prefix} are not labels`);
    return { images, clouds, ...(confident && { confident: Uint8Array.from(confident) }) };
  };
  for (const [key, { data }] of Object.entries(tensors)) {
    if (/^(stage|warm)\./.test(key) && !(data instanceof Float32Array)) throw broken(name, `${key} is not f32`);
  }
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

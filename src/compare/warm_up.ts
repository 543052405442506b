/** RoMo's warm-up and its pseudo labels. Several methods start from the same one, so it is trained once and kept as bytes. */
import type { StateDict } from '../model/module.ts';
import type { Config } from '../romo/config.ts';
import { clusterSizes } from '../romo/method/kmeans.ts';
import { pseudoLabels } from '../romo/method/pseudo_labels.ts';
import { trainSsm } from '../romo/method/ssm.ts';
import type { PseudoLabels } from '../romo/method/stage_state.ts';
import { collapseWarning } from '../romo/method/stages.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../romo/run/checkpoint.ts';
import type { Setting } from './method.ts';

/** A trained warm-up. */
export interface WarmUp {
  readonly model: StateDict;
  readonly labels: PseudoLabels;
  /** that it took to train */
  readonly seconds: number;
}

/** Trains the warm-up and finds its pseudo labels. */
export async function trainWarmUp(
  { gpu, data, hooks, note }: Pick<Setting, 'gpu' | 'data' | 'hooks' | 'note'>,
  config: Config,
): Promise<WarmUp> {
  const start = performance.now();
  const model = await trainSsm(gpu, data, config, hooks);
  const labels = await pseudoLabels(gpu, model, data, config);
  for (const modality of ['images', 'clouds'] as const) {
    const warning = collapseWarning('pseudo labels', clusterSizes(labels[modality], config.clusters), modality);
    if (warning) note(warning);
  }
  const state = await model.stateDict();
  model.dispose();
  return { model: state, labels, seconds: (performance.now() - start) / 1000 };
}

/** Names the warm-ups that are the same: all that they depend on. */
export function warmUpKey({ rdl: { selfLabels, pseudoLabels: source }, ...config }: Config): string {
  return JSON.stringify({ ...config, recipe: undefined, rdl: { selfLabels, source } });
}

/** A warm-up as a checkpoint between the stages. */
export function encodeWarmUp(config: Config, { model, labels, seconds }: WarmUp): Uint8Array {
  const stage = { stage: 'ssm', epoch: config.ssm.epochs, step: 0, tensors: {}, labels: null } as const;
  const phases = { untrained: 0, ssm: seconds, pseudoLabels: 0, rdl: 0, figures: 0 };
  const state = { stage, warm: { model, labels }, figures: {}, seconds: phases };
  return encodeCheckpoint({ config, state, adapter: '', metricsBytes: 0 });
}

/**
 * @param name of the file, for errors
 * @returns null if it is the warm-up of another configuration
 * @throws RomoError `file` if the bytes are damaged
 */
export function decodeWarmUp(bytes: Uint8Array, name: string, config: Config): WarmUp | null {
  const { config: own, state } = decodeCheckpoint(bytes, name);
  if (!state.warm || warmUpKey(own) !== warmUpKey(config)) return null;
  return { ...state.warm, seconds: state.seconds.ssm };
}

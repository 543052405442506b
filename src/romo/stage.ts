/** What the two stages share: the recorded step, the loop over epochs, and what they report. */

import { concat } from '../autograd/concat.ts';
import { record } from '../autograd/tape.ts';
import type { Module } from '../model/module.ts';
import { cosineRate, Sgd } from '../model/sgd.ts';
import type { Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { Replay } from '../tensor/replay.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Config, StageConfig } from './config.ts';
import type { Encoders } from './encoders.ts';
import type { Feeder } from './feeder.ts';

/** What a step did. */
export interface StepReport {
  stage: 'ssm' | 'rdl';
  epoch: number;
  epochs: number;
  step: number;
  /** steps of the whole stage */
  steps: number;
  samples: number;
  learningRate: number;
  /** total, and its two parts before weighting */
  loss: number;
  supervision: number;
  invariance: number;
}

export type Progress = (report: StepReport) => void;

/** Looks at the parameters as a step left them; the next step waits for it. */
export type Inspect = (stage: 'ssm' | 'rdl', step: number, parameters: ReadonlyMap<string, Tensor>) => Promise<void>;

/** All that a stage needs to go on after an epoch as if it had never stopped: plain numbers by name. */
export interface StageState {
  readonly stage: 'ssm' | 'rdl';
  /** epochs done */
  readonly epoch: number;
  readonly tensors: Readonly<Record<string, Float32Array>>;
}

/** What a caller may watch and steer. */
export interface StageHooks {
  onProgress?: Progress | undefined;
  inspect?: Inspect | undefined;
  /** Awaited before each step: a page pauses here. What it throws ends the stage. */
  beforeStep?: (() => Promise<void>) | undefined;
  /** Awaited after each epoch. */
  afterEpoch?: ((at: EpochEnd) => Promise<void>) | undefined;
  /** goes on from there instead of the start */
  resumeFrom?: StageState | undefined;
}

/** What a stage offers at the end of an epoch. */
export interface EpochEnd {
  readonly stage: 'ssm' | 'rdl';
  /** epochs done */
  readonly epoch: number;
  readonly model: Module & { readonly encoders: Encoders };
  /** Reads everything that `resumeFrom` takes. */
  state(): Promise<StageState>;
}

export interface Losses {
  total: Tensor;
  supervision: Tensor;
  invariance: Tensor;
}

export interface StepPlan {
  name: 'ssm' | 'rdl';
  config: Config;
  stage: StageConfig;
  feeder: Feeder;
  model: Module & { readonly encoders: Encoders };
  /** what else changes from step to step, by name: memory banks */
  memories?: Readonly<Record<string, Tensor>>;
  /** forward to the losses, on the tape */
  losses(): Losses;
  /** queued after the optimiser's step: memory banks */
  after?(): void;
  /** once per epoch, before its first step; returns the pseudo labels of images and clouds */
  prepareEpoch(epoch: number): Promise<{ imageLabels: Int32Array | null; pointLabels: Int32Array | null }>;
  hooks: StageHooks;
}

/** Runs a stage: SGD with momentum, cosine schedule, one recorded step replayed. */
export async function runStage(gpu: Gpu, plan: StepPlan): Promise<void> {
  const { config, stage, feeder, hooks } = plan;
  const parameters = plan.model.parameters();
  const optimiser = new Sgd(gpu, parameters, {
    learningRate: stage.learningRate,
    momentum: config.momentum,
    weightDecay: stage.weightDecay,
  });
  let report: Tensor | null = null; // [3]: total, supervision, invariance
  const replay = await Replay.record(gpu, () => {
    using _scope = gpu.scope();
    const parts: Tensor[] = [];
    const tape = record(gpu, () => {
      const { total, supervision, invariance } = plan.losses();
      parts.push(...[total, supervision, invariance].map((loss) => loss.keep()));
      return total;
    });
    tape.backward();
    report = concat(parts, 0).keep();
    for (const part of parts) part.dispose();
    optimiser.step();
    plan.after?.();
  });
  const changing = changingTensors(plan, optimiser);
  const first = hooks.resumeFrom?.epoch ?? 0;
  if (hooks.resumeFrom) restore(hooks.resumeFrom, plan.name, changing);
  const steps = stage.epochs * feeder.stepsPerEpoch;
  let step = first * feeder.stepsPerEpoch;
  let pending: Promise<void> | null = null;
  for (let epoch = first; epoch < stage.epochs; epoch++) {
    await pending;
    const { imageLabels, pointLabels } = await plan.prepareEpoch(epoch);
    for (const ids of feeder.batches(epoch)) {
      await hooks.beforeStep?.();
      const learningRate = cosineRate(stage.learningRate, step, steps);
      await feeder.load(epoch, ids, imageLabels, pointLabels);
      optimiser.setRate(learningRate);
      replay.run();
      const values = (report as unknown as Tensor).readFloats();
      values.catch(() => {}); // a lost device fails both reads in flight; the first is reported below
      step++;
      if (hooks.inspect) await hooks.inspect(plan.name, step, parameters);
      const at = { stage: plan.name, epoch, epochs: stage.epochs, step, steps, samples: ids.length, learningRate };
      await pending; // at most two steps in flight
      pending = values.then(([loss, supervision, invariance]) => {
        if (!Number.isFinite(loss)) {
          throw new RomoError(
            'not-finite',
            `${plan.name}: the loss is ${loss} at step ${at.step}, epoch ${epoch + 1}; samples ${ids.join(' ')}`,
            'Lower the learning rate.',
          );
        }
        hooks.onProgress?.({ ...at, loss, supervision, invariance });
      });
      pending.catch(() => {});
    }
    if (hooks.afterEpoch) {
      await pending;
      const state = () => save(plan.name, epoch + 1, changing);
      await hooks.afterEpoch({ stage: plan.name, epoch: epoch + 1, model: plan.model, state });
    }
  }
  await pending;
  optimiser.dispose();
  replay.dispose();
}

/** All tensors whose values a later step depends on. */
function changingTensors({ model, memories = {} }: StepPlan, optimiser: Sgd): Map<string, Tensor> {
  const all = new Map<string, Tensor>(Object.entries(memories));
  for (const [name, { tensor }] of model.namedEntries('model.')) all.set(name, tensor);
  for (const [name, tensor] of optimiser.velocities) all.set(`velocity.${name}`, tensor);
  return all;
}

async function save(stage: 'ssm' | 'rdl', epoch: number, changing: ReadonlyMap<string, Tensor>): Promise<StageState> {
  const names = [...changing.keys()];
  const values = await Promise.all([...changing.values()].map((tensor) => tensor.readFloats()));
  return { stage, epoch, tensors: Object.fromEntries(names.map((name, i) => [name, values[i]])) };
}

function restore(state: StageState, stage: string, changing: ReadonlyMap<string, Tensor>): void {
  const unfit = [...changing].filter(([name, tensor]) => state.tensors[name]?.length !== tensor.size);
  if (state.stage !== stage || unfit.length > 0) {
    const names = unfit.map(([name]) => name).join(', ');
    throw new RomoError(
      'state-dict',
      `${stage} cannot go on from a state of ${state.stage}: ${names || 'another stage'}`,
      'Resume with the configuration that the state was made with.',
    );
  }
  for (const [name, tensor] of changing) tensor.write(state.tensors[name]);
}

/** What the two stages share: the recorded step, the loop over epochs, and what they report. */

import { concat } from '../autograd/concat.ts';
import { record } from '../autograd/tape.ts';
import { cosineRate, Sgd } from '../model/sgd.ts';
import type { Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { Replay } from '../tensor/replay.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Config, StageConfig } from './config.ts';
import type { Feeder } from './feeder.ts';

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
  parameters: ReadonlyMap<string, Tensor>;
  /** forward to the losses, on the tape */
  losses(): Losses;
  /** queued after the optimiser's step: memory banks */
  after?(): void;
  /** once per epoch, before its first step; returns the pseudo labels of images and clouds */
  prepareEpoch(epoch: number): Promise<{ imageLabels: Int32Array | null; pointLabels: Int32Array | null }>;
  onProgress?: Progress | undefined;
  inspect?: Inspect | undefined;
}

/** Runs a stage: SGD with momentum, cosine schedule, one recorded step replayed. */
export async function runStage(gpu: Gpu, plan: StepPlan): Promise<void> {
  const { config, stage, feeder } = plan;
  const optimiser = new Sgd(gpu, plan.parameters, {
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
  const steps = stage.epochs * feeder.stepsPerEpoch;
  let step = 0;
  let pending: Promise<void> | null = null;
  for (let epoch = 0; epoch < stage.epochs; epoch++) {
    await pending;
    const { imageLabels, pointLabels } = await plan.prepareEpoch(epoch);
    for (const ids of feeder.batches(epoch)) {
      const learningRate = cosineRate(stage.learningRate, step, steps);
      feeder.load(epoch, ids, imageLabels, pointLabels);
      optimiser.setRate(learningRate);
      replay.run();
      const values = (report as unknown as Tensor).readFloats();
      step++;
      if (plan.inspect) await plan.inspect(plan.name, step, plan.parameters);
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
        plan.onProgress?.({ ...at, loss, supervision, invariance });
      });
    }
  }
  await pending;
  optimiser.dispose();
  replay.dispose();
}

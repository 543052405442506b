/** Shared by both stages: the recorded step, the loop over epochs, and the reports. */

import { concat } from '../../autograd/concat.ts';
import { record } from '../../autograd/tape.ts';
import type { Module } from '../../model/module.ts';
import { cosineRate, type Optimizer } from '../../model/optimizer.ts';
import type { Gpu } from '../../tensor/device.ts';
import { RomoError } from '../../tensor/error.ts';
import { runChecked } from '../../tensor/finite.ts';
import { Replay } from '../../tensor/replay.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Config, StageConfig } from '../config.ts';
import type { Encoders, Pretrained } from '../encoders.ts';
import type { Feeder } from './feeder.ts';
import { optimizerOf } from './optimizer.ts';
import {
  type Position,
  type PseudoLabels,
  readTensors,
  restore,
  type StageState,
  type TrainedStage,
} from './stage_state.ts';

/** Report of one step. */
export interface StepReport {
  stage: TrainedStage;
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

/** Called with the parameters after a step; the next step waits for it. */
export type Inspect = (stage: TrainedStage, step: number, parameters: ReadonlyMap<string, Tensor>) => Promise<void>;

/**
 * Callbacks and options of training. A stage and a run of both stages share them, and differ in the `State` that they
 * offer and resume from.
 */
export interface Hooks<State> {
  /** Called with the report of each step, at most two steps later, or 16 where reading from the GPU is slow. */
  onStep?: ((report: StepReport) => void) | undefined;
  inspect?: Inspect | undefined;
  /** Awaited before each step: a page pauses training here. An error ends training. */
  beforeStep?: (() => Promise<void>) | undefined;
  /** Awaited at the start of a stage and after each step: checkpoints are taken here. An error ends training. */
  onPosition?: ((at: Position<State>) => Promise<void>) | undefined;
  /** Awaited after each epoch. */
  afterEpoch?: ((at: EpochEnd<State>) => Promise<void>) | undefined;
  /** runs each step kernel by kernel and stops at the first output that is not finite; slow */
  checkFinite?: boolean | undefined;
  /** weights that fresh encoders start from */
  pretrained?: Pretrained | undefined;
  /** state to resume from; without it training starts at the beginning */
  resumeFrom?: State | undefined;
}

/** Hooks of one stage. */
export type StageHooks = Hooks<StageState>;

/** Position and model at the end of an epoch. */
export interface EpochEnd<State> extends Position<State> {
  readonly model: Module & { readonly encoders: Encoders };
}

/**
 * Derives the hooks of a part of training from those of the whole.
 * @param resumeFrom state of the part
 * @param whole turns a state of the part into one of the whole
 */
export function hooksOfPart<Part, Whole, All extends Hooks<Whole>>(
  hooks: All & Hooks<Whole>,
  resumeFrom: NoInfer<Part> | undefined,
  whole: (part: Part) => Whole,
): Omit<All, keyof Hooks<Whole>> & Hooks<Part> {
  const { onPosition, afterEpoch } = hooks;
  const widened = <At extends Position<Part>>(at: At) => ({ ...at, state: async () => whole(await at.state()) });
  return {
    ...hooks,
    resumeFrom,
    onPosition: onPosition && ((at) => onPosition(widened(at))),
    afterEpoch: afterEpoch && ((at) => afterEpoch(widened(at))),
  };
}

/** The tensors of one batch, as a recorded step reads them. */
export type Batch = Pick<
  Feeder,
  | 'images'
  | 'imagesAgain'
  | 'clouds'
  | 'cloudsAgain'
  | 'indices'
  | 'imageLabels'
  | 'cloudLabels'
  | 'weights'
  | 'believed'
>;

export interface Losses {
  total: Tensor;
  supervision: Tensor;
  invariance: Tensor;
  /** tensors that `StepPlan.after` reads; freed after it */
  kept?: readonly Tensor[];
}

export interface StepPlan {
  name: TrainedStage;
  config: Config;
  stage: StageConfig;
  feeder: Feeder;
  model: Module & { readonly encoders: Encoders };
  /** other tensors that change from step to step, by name: memory banks */
  memories?: Readonly<Record<string, Tensor>>;
  /** the forward pass to the losses, recorded on the tape */
  losses(batch: Batch): Losses;
  /** queued after the optimiser's step, with the tensors that `losses` kept: updates the memory banks */
  after?(batch: Batch, kept: readonly Tensor[]): void;
  /** once per epoch, before its first step; `last` are the labels of the epoch before, null before the first */
  prepareEpoch(epoch: number, last: PseudoLabels | null): Promise<PseudoLabels>;
  /** Are an epoch's labels made from the last ones? Then they belong to the state between epochs too. */
  relabels?: boolean;
  hooks: StageHooks;
}

/** Queues a step. @returns its report [3]: total loss, supervision, invariance */
function queueStep(gpu: Gpu, plan: StepPlan, optimizer: Optimizer): Tensor {
  using _scope = gpu.scope();
  const parts: Tensor[] = [];
  const kept: Tensor[] = [];
  const tape = record(gpu, () => {
    const losses = plan.losses(plan.feeder);
    parts.push(losses.total.keep(), losses.supervision.keep(), losses.invariance.keep());
    for (const tensor of losses.kept ?? []) kept.push(tensor.keep());
    return losses.total;
  });
  tape.backward();
  const report = concat(parts, 0).keep();
  for (const part of parts) part.dispose();
  optimizer.step();
  plan.after?.(plan.feeder, kept);
  for (const tensor of kept) tensor.dispose();
  return report;
}

/**
 * Runs a stage: the configured optimiser with a cosine schedule. One step is recorded, then replayed for every batch.
 * @throws RomoError `not-finite` if the loss is not finite
 */
export async function runStage(gpu: Gpu, plan: StepPlan): Promise<void> {
  const { config, stage } = plan;
  await gpu.tested('training');
  const parameters = plan.model.parameters();
  const optimizer = optimizerOf(gpu, parameters, config, stage);
  const { replay, result: report } = await Replay.record(gpu, () => queueStep(gpu, plan, optimizer));
  try {
    await runSteps(gpu, plan, { parameters, optimizer, replay, report });
  } finally {
    optimizer.dispose();
    replay.dispose();
  }
}

const SLOW_READ = 20; // ms
const MOST_AHEAD = 15;

/**
 * How many steps are queued before the report of one is awaited. One is enough to keep the GPU busy, but for browsers that
 * look for finished reads only every 100 ms: Firefox.
 */
async function stepsAhead(gpu: Gpu, report: Tensor): Promise<number> {
  await gpu.finish();
  const begin = performance.now();
  await report.readFloats();
  return performance.now() - begin > SLOW_READ ? MOST_AHEAD : 1;
}

interface RecordedStep {
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly optimizer: Optimizer;
  readonly replay: Replay;
  readonly report: Tensor;
}

async function runSteps(gpu: Gpu, plan: StepPlan, recorded: RecordedStep): Promise<void> {
  const { stage, feeder, hooks } = plan;
  const { parameters, optimizer, replay, report } = recorded;
  const changing = changingTensors(plan, optimizer);
  const { resumeFrom } = hooks;
  if (resumeFrom) restore(resumeFrom, plan.name, changing);
  const steps = stage.epochs * feeder.stepsPerEpoch;
  const first = resumeFrom?.epoch ?? 0;
  let step = first * feeder.stepsPerEpoch + (resumeFrom?.step ?? 0);
  const mostAhead = await stepsAhead(gpu, report);
  const pending: Promise<void>[] = []; // reports of the latest steps
  const settle = async (most: number) => {
    for (let oldest = pending[0]; pending.length > most; oldest = pending[0]) {
      await oldest;
      if (pending[0] === oldest) pending.shift(); // unless another has waited for it too
    }
  };
  let labels = resumeFrom?.labels ?? null;
  const position = (): Position<StageState> => {
    const epoch = Math.floor(step / feeder.stepsPerEpoch);
    const at = { stage: plan.name, epoch, step: step % feeder.stepsPerEpoch };
    const state = async (): Promise<StageState> => {
      await settle(0);
      return {
        ...at,
        tensors: await readTensors(plan.name, changing),
        labels: at.step > 0 || plan.relabels ? labels : null,
      };
    };
    return { ...at, state };
  };
  if (!resumeFrom) await hooks.onPosition?.(position());
  for (let epoch = first; epoch < stage.epochs; epoch++) {
    await settle(0);
    const done = step % feeder.stepsPerEpoch;
    const ofEpoch: PseudoLabels = (done > 0 && labels) || (await plan.prepareEpoch(epoch, labels));
    labels = ofEpoch;
    for (const indices of [...feeder.batches(epoch)].slice(done)) {
      await hooks.beforeStep?.();
      const learningRate = cosineRate(stage.learningRate, step, steps);
      await feeder.load(epoch, indices, ofEpoch);
      optimizer.setRate(learningRate);
      const where = `step ${step + 1}, epoch ${epoch + 1}; samples ${feeder.names(indices)}`;
      if (hooks.checkFinite) await runChecked(gpu, replay, `${plan.name}, ${where}`);
      else replay.run();
      const values = report.readFloats();
      values.catch(() => {}); // a lost device fails both reads in flight; the first is reported below
      step++;
      if (hooks.inspect) await hooks.inspect(plan.name, step, parameters);
      const at = { stage: plan.name, epoch, epochs: stage.epochs, step, steps, samples: indices.length, learningRate };
      await settle(mostAhead - 1);
      const reported = values.then(([loss, supervision, invariance]) => {
        if (!Number.isFinite(loss)) {
          throw new RomoError(
            'not-finite',
            `${plan.name}: the loss is ${loss} at ${where}`,
            'Lower the learning rate. `checkFinite` (--check-finite) finds the kernel that produced it.',
          );
        }
        hooks.onStep?.({ ...at, loss, supervision, invariance });
      });
      reported.catch(() => {}); // thrown once it is awaited
      pending.push(reported);
      await hooks.onPosition?.(position());
    }
    if (hooks.afterEpoch) {
      await settle(0);
      await hooks.afterEpoch({ ...position(), model: plan.model });
    }
  }
  await settle(0);
}

/** All tensors that later steps depend on. */
function changingTensors({ model, memories = {} }: StepPlan, optimizer: Optimizer): Map<string, Tensor> {
  const all = new Map<string, Tensor>(Object.entries(memories));
  for (const [name, { tensor }] of model.namedEntries('model.')) all.set(name, tensor);
  for (const [name, tensor] of optimizer.state) all.set(name, tensor);
  return all;
}

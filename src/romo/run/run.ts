/**
 * A whole run: training with figures before, between and after the stages. It can resume from any state that it offers.
 */
import type { DataSet } from '../../data/types.ts';
import type { Module } from '../../model/module.ts';
import type { Gpu } from '../../tensor/device.ts';
import { RomoError } from '../../tensor/error.ts';
import type { Config } from '../config.ts';
import { type Figures, figuresOf, pseudoLabelAccuracy, rawFigures } from '../figures/figures.ts';
import type { TrainingData } from '../method/feeder.ts';
import { RdlModel } from '../method/rdl.ts';
import { SsmModel } from '../method/ssm.ts';
import { hooksOfPart } from '../method/stage.ts';
import { type Phase, type TrainingHooks, type TrainingState, trainStages } from '../method/stages.ts';
import { largestBatch } from './fitting.ts';

/** The rows of the table of figures. */
export type StageName = 'untrained' | 'kmeans' | 'ssm' | 'rdl';

/** Seconds spent in each phase. */
export type RunSeconds = Record<Phase, number>;

/** The figures of a run. */
export interface RunResult {
  adapter: string;
  stages: Record<StageName, Figures>;
  /** null if the training objects have no labels */
  pseudoLabelAccuracy: { images: number; points: number } | null; // in result.json, clouds are called `points`
  seconds: RunSeconds;
}

/** Everything that a run needs to resume as if it had never stopped, and the figures measured so far. */
export interface RunState extends TrainingState {
  /** of the stages done so far */
  readonly figures: Partial<Record<StageName, Figures>>;
  readonly seconds: RunSeconds;
}

/** Hooks of a run. */
export interface RunHooks extends Omit<TrainingHooks<RunState>, 'afterWarmUp'> {
  /** Called with the figures of each stage once it is trained. */
  onFigures?: ((stage: 'ssm' | 'rdl', figures: Figures) => void) | undefined;
}

/** The part of a data set that training sees, without labels. */
export function trainingData({ train, mirror, rotation }: DataSet): TrainingData {
  return { pairs: train.pairs, mirror, rotation };
}

/** Adds up the time of each phase. */
class Clock {
  private running: { readonly phase: Phase; readonly start: number } | null = null;

  constructor(private done: RunSeconds) {}

  /** Ends the current phase and starts another. */
  enter(phase: Phase): void {
    this.done = this.seconds();
    this.running = { phase, start: performance.now() };
  }

  /** Seconds per phase so far, including the current one. */
  seconds(): RunSeconds {
    const { running, done } = this;
    if (!running) return { ...done };
    return { ...done, [running.phase]: done[running.phase] + (performance.now() - running.start) / 1000 };
  }
}

/** Models and figures of a finished run. */
export interface FinishedRun {
  models: { ssm: SsmModel; rdl: RdlModel };
  result: RunResult;
}

/**
 * Trains both stages without labels, which only the figures read. Returns the models and the figures.
 * @throws RomoError `memory` if a batch does not fit, naming the largest that does; `not-finite` if the loss is not
 *   finite
 */
export async function run(gpu: Gpu, data: DataSet, config: Config, hooks: RunHooks = {}): Promise<FinishedRun> {
  try {
    return await measuredTraining(gpu, data, config, hooks);
  } catch (error) {
    if (!(error instanceof RomoError && error.code === 'memory')) throw error;
    const batch = largestBatch(gpu, config, data.train.pairs.imageShape);
    const fix = batch >= 2 ? `The largest batch that fits is ${batch}` : 'Not even two pairs fit';
    throw new RomoError(
      'memory',
      `a batch of ${config.batch} pairs is too large: ${error.message.replace(`. ${error.fix}`, '')}`,
      `${fix}, computed for both stages. Smaller images, clouds or networks need less memory.`,
    );
  }
}

async function measuredTraining(gpu: Gpu, data: DataSet, config: Config, hooks: RunHooks): Promise<FinishedRun> {
  const { resumeFrom } = hooks;
  const clock = new Clock({ untrained: 0, ssm: 0, pseudoLabels: 0, rdl: 0, figures: 0, ...resumeFrom?.seconds });
  const figures: Partial<Record<StageName, Figures>> = { ...resumeFrom?.figures };
  const onPhase = (phase: Phase) => {
    clock.enter(phase);
    hooks.onPhase?.(phase);
  };
  const measure = async (stage: 'ssm' | 'rdl', model: SsmModel | RdlModel) => {
    onPhase('figures');
    const measured = await figuresOf(gpu, model.encoders, data, config);
    figures[stage] = measured;
    hooks.onFigures?.(stage, measured);
  };
  if (!resumeFrom) {
    onPhase('untrained');
    Object.assign(figures, await baselineFigures(gpu, data, config));
  }
  const { ssm, rdl, labels } = await trainStages(gpu, trainingData(data), config, {
    ...hooksOfPart(
      hooks,
      resumeFrom,
      (state: TrainingState): RunState => ({ ...state, figures: { ...figures }, seconds: clock.seconds() }),
    ),
    onPhase,
    afterWarmUp: (model) => measure('ssm', model),
  });
  await measure('rdl', rdl);
  const result: RunResult = {
    adapter: gpu.adapterName,
    stages: figures as Record<StageName, Figures>,
    pseudoLabelAccuracy: data.train.labels && pseudoLabelAccuracy(labels, data.train.labels, config.clusters),
    seconds: clock.seconds(),
  };
  return { models: { ssm, rdl }, result };
}

async function baselineFigures(
  gpu: Gpu,
  data: DataSet,
  config: Config,
): Promise<Record<'untrained' | 'kmeans', Figures>> {
  const model = new SsmModel(gpu, config, data.train.pairs.imageShape[2]);
  const untrained = await figuresOf(gpu, model.encoders, data, config);
  model.dispose();
  return { untrained, kmeans: await rawFigures(gpu, data, config) };
}

/** Models of a configuration into which a saved run can be loaded. */
export function emptyModels(
  gpu: Gpu,
  config: Config,
  imageChannels: number,
): Record<'ssm' | 'rdl', Module> & { ssm: SsmModel; rdl: RdlModel } {
  return { ssm: new SsmModel(gpu, config, imageChannels), rdl: new RdlModel(gpu, config, imageChannels) };
}

/** The figures of all four stages, computed from the models. */
export async function allFigures(
  gpu: Gpu,
  data: DataSet,
  config: Config,
  models: { ssm: SsmModel; rdl: RdlModel },
): Promise<Record<StageName, Figures>> {
  return {
    ...(await baselineFigures(gpu, data, config)),
    ssm: await figuresOf(gpu, models.ssm.encoders, data, config),
    rdl: await figuresOf(gpu, models.rdl.encoders, data, config),
  };
}

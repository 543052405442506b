/**
 * A whole run: untrained figures, raw baseline, warm-up, pseudo labels, robust learning, figures after each. It can go on from
 * any state that it offered.
 */
import type { DataSet } from '../../data/types.ts';
import type { Module, StateDict } from '../../model/module.ts';
import type { Gpu } from '../../tensor/device.ts';
import { RomoError } from '../../tensor/error.ts';
import type { Config } from '../config.ts';
import type { Pretrained } from '../encoders.ts';
import { type Figures, figuresOf, pseudoLabelAccuracy, rawFigures } from '../figures/figures.ts';
import type { TrainingData } from '../method/feeder.ts';
import { type PseudoLabels, pseudoLabels } from '../method/pseudo_labels.ts';
import { RdlModel, trainRdl } from '../method/rdl.ts';
import { SsmModel, trainSsm } from '../method/ssm.ts';
import type { StageHooks, StepReport } from '../method/stage.ts';
import type { Position, StageState } from '../method/stage_state.ts';
import { clusterSizes, collapseWarning } from '../method/targets.ts';
import { largestBatch } from './fitting.ts';

/** The rows of the table of figures. */
export type StageName = 'untrained' | 'kmeans' | 'ssm' | 'rdl';

/** Where the time went. */
export type RunSeconds = Record<'untrained' | 'ssm' | 'pseudoLabels' | 'rdl' | 'figures', number>;

/** The figures of a run. */
export interface RunResult {
  adapter: string;
  stages: Record<StageName, Figures>;
  /** null where the training objects have no labels */
  pseudoLabelAccuracy: { images: number; points: number } | null;
  seconds: RunSeconds;
}

/** All that a run needs to go on as if it had never stopped, and what it has measured so far. */
export interface RunState {
  readonly stage: StageState;
  /** of the stages that are done */
  readonly figures: Partial<Record<StageName, Figures>>;
  readonly seconds: RunSeconds;
  /** from the start of `rdl` on */
  readonly warm: { readonly model: StateDict; readonly labels: PseudoLabels } | null;
}

/** Where a run stands between two steps. */
export interface RunPosition extends Pick<Position, 'stage' | 'epoch' | 'step'> {
  /** Reads everything that `resumeFrom` takes. */
  state(): Promise<RunState>;
}

/** What a caller may watch of a run. */
export interface RunHooks {
  /** After each step. */
  onStep?(report: StepReport): void;
  /** When other work begins, in words. */
  onPhase?(text: string): void;
  /** When something looks wrong, such as a collapse. */
  onWarning?(text: string): void;
  /** Figures and cluster sizes, as they come. */
  onMetrics?(entry: Record<string, unknown>): void;
  /** Between the stages; again where the run goes on behind that. */
  onPseudoLabels?(labels: PseudoLabels): void;
  /** Awaited at the start of each stage and after each step: a checkpoint is taken here. What it throws ends the run. */
  onPosition?(at: RunPosition): Promise<void>;
  /** as in StageHooks */
  checkFinite?: boolean | undefined;
  /** goes on from there instead of the start */
  resumeFrom?: RunState | undefined;
  /** weights that fresh encoders start from; the figures of untrained networks are without them */
  pretrained?: Pretrained | undefined;
}

/** What training sees of a data set: no labels. */
export function trainingData({ train, mirror, rotation }: DataSet): TrainingData {
  return { pairs: train.pairs, mirror, rotation };
}

/** Adds up the time of each kind of work. */
class Clock {
  private running: { readonly name: keyof RunSeconds; readonly start: number } | null = null;

  constructor(private readonly done: RunSeconds) {}

  async time<T>(name: keyof RunSeconds, work: () => Promise<T>): Promise<T> {
    this.running = { name, start: performance.now() };
    const value = await work();
    Object.assign(this.done, this.seconds());
    this.running = null;
    return value;
  }

  /** Up to now, the work under way included. */
  seconds(): RunSeconds {
    const { running, done } = this;
    if (!running) return { ...done };
    return { ...done, [running.name]: done[running.name] + (performance.now() - running.start) / 1000 };
  }
}

/** What a run leaves behind. */
export interface FinishedRun {
  models: { ssm: SsmModel; rdl: RdlModel };
  result: RunResult;
}

/**
 * Trains both stages on data without labels; labels are read by the figures alone. Returns the models and the result.
 * @throws RomoError `memory` where a batch does not fit, with the largest that would; `not-finite` where the loss is no number
 */
export async function run(gpu: Gpu, data: DataSet, config: Config, hooks: RunHooks = {}): Promise<FinishedRun> {
  try {
    return await bothStages(gpu, data, config, hooks);
  } catch (error) {
    if (!(error instanceof RomoError && error.code === 'memory')) throw error;
    const batch = largestBatch(gpu, config, data.train.pairs.imageShape);
    const fix = batch >= 2 ? `The largest batch that fits is ${batch}` : 'Not even two pairs fit';
    throw new RomoError(
      'memory',
      `a batch of ${config.batch} pairs is too large: ${error.message.replace(`. ${error.fix}`, '')}`,
      `${fix}: computed for both stages. Smaller images, clouds or networks need less.`,
    );
  }
}

async function bothStages(gpu: Gpu, data: DataSet, config: Config, hooks: RunHooks): Promise<FinishedRun> {
  const { resumeFrom } = hooks;
  const clock = new Clock({ untrained: 0, ssm: 0, pseudoLabels: 0, rdl: 0, figures: 0, ...resumeFrom?.seconds });
  const training = trainingData(data);
  const checkClusters = (where: string, sizes: number[], modality: string) => {
    const warning = collapseWarning(where, sizes, modality);
    if (warning) hooks.onWarning?.(warning);
  };
  const figures: Partial<Record<StageName, Figures>> = { ...resumeFrom?.figures };
  let warm = resumeFrom?.warm ?? null;
  const stageHooks = (stage: 'ssm' | 'rdl'): StageHooks => ({
    onProgress: hooks.onStep,
    checkFinite: hooks.checkFinite,
    resumeFrom: resumeFrom?.stage.stage === stage ? resumeFrom.stage : undefined,
    onPosition: async (at) => {
      const state = async () => ({ stage: await at.state(), figures: { ...figures }, seconds: clock.seconds(), warm });
      await hooks.onPosition?.({ ...at, state });
    },
  });

  if (!resumeFrom) {
    hooks.onPhase?.('measuring the untrained networks and the k-means baseline');
    Object.assign(figures, await clock.time('untrained', () => baselineFigures(gpu, data, config)));
  }
  let ssm: SsmModel;
  if (warm) {
    ssm = new SsmModel(gpu, config, data.train.pairs.imageShape[2]);
    ssm.loadStateDict(warm.model, 'the state to go on from');
    hooks.onPseudoLabels?.(warm.labels);
  } else {
    ssm = await clock.time('ssm', () =>
      trainSsm(gpu, training, config, {
        ...stageHooks('ssm'),
        pretrained: hooks.pretrained,
        onClusters(epoch, images, points) {
          hooks.onMetrics?.({ stage: 'ssm', epoch, clusterSizes: { images, points } });
          checkClusters(`ssm epoch ${epoch + 1}`, images, 'images');
          checkClusters(`ssm epoch ${epoch + 1}`, points, 'clouds');
        },
      }),
    );
    hooks.onPhase?.('pseudo labels');
    const labels = await clock.time('pseudoLabels', () => pseudoLabels(gpu, ssm, training, config));
    checkClusters('pseudo labels', clusterSizes(labels.images, config.clusters), 'images');
    checkClusters('pseudo labels', clusterSizes(labels.points, config.clusters), 'clouds');
    hooks.onPseudoLabels?.(labels);
    figures.ssm = await clock.time('figures', () => figuresOf(gpu, ssm.encoders, data, config));
    hooks.onMetrics?.({ stage: 'ssm', ...figures.ssm });
    warm = { model: await ssm.stateDict(), labels };
  }
  const { labels } = warm;
  const rdlHooks = { ...stageHooks('rdl'), pretrained: hooks.pretrained };
  const rdl = await clock.time('rdl', () => trainRdl(gpu, training, config, labels, ssm, rdlHooks));
  hooks.onPhase?.('measuring');
  figures.rdl = await clock.time('figures', () => figuresOf(gpu, rdl.encoders, data, config));
  hooks.onMetrics?.({ stage: 'rdl', ...figures.rdl });
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

/** Empty models of a configuration, for loading a saved run. */
export function emptyModels(
  gpu: Gpu,
  config: Config,
  imageChannels: number,
): Record<'ssm' | 'rdl', Module> & { ssm: SsmModel; rdl: RdlModel } {
  return { ssm: new SsmModel(gpu, config, imageChannels), rdl: new RdlModel(gpu, config, imageChannels) };
}

/** The figures of all four stages, from the models alone. */
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

/** A whole run: untrained figures, raw baseline, warm-up, pseudo labels, robust learning, figures after each. */
import type { DataSet } from '../data/types.ts';
import type { Module } from '../model/module.ts';
import type { Gpu } from '../tensor/device.ts';
import type { Config } from './config.ts';
import type { TrainingData } from './feeder.ts';
import { type Figures, figuresOf, pseudoLabelAccuracy, rawFigures } from './figures.ts';
import { type PseudoLabels, pseudoLabels } from './pseudo_labels.ts';
import { RdlModel, trainRdl } from './rdl.ts';
import { SsmModel, trainSsm } from './ssm.ts';
import type { StepReport } from './stage.ts';
import { clusterSizes, collapseWarning } from './targets.ts';

/** The rows of the table of figures. */
export type StageName = 'untrained' | 'kmeans' | 'ssm' | 'rdl';

/** The figures of a run. */
export interface RunResult {
  adapter: string;
  stages: Record<StageName, Figures>;
  /** null where the training objects have no labels */
  pseudoLabelAccuracy: { images: number; points: number } | null;
  seconds: Record<'untrained' | 'ssm' | 'pseudoLabels' | 'rdl' | 'figures', number>;
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
  /** Once, between the stages. */
  onPseudoLabels?(labels: PseudoLabels): void;
}

/** What training sees of a data set: no labels. */
export function trainingData({ train, mirror, rotation }: DataSet): TrainingData {
  return { pairs: train.pairs, mirror, rotation };
}

/** Trains both stages on data without labels; labels are read by the figures alone. Returns the models and the result. */
export async function run(
  gpu: Gpu,
  data: DataSet,
  config: Config,
  hooks: RunHooks = {},
): Promise<{ models: { ssm: SsmModel; rdl: RdlModel }; result: RunResult }> {
  const seconds = { untrained: 0, ssm: 0, pseudoLabels: 0, rdl: 0, figures: 0 };
  const timed = async <T>(name: keyof typeof seconds, work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const value = await work();
    seconds[name] += (performance.now() - start) / 1000;
    return value;
  };
  const training = trainingData(data);
  const checkClusters = (where: string, sizes: number[], modality: string) => {
    const warning = collapseWarning(where, sizes, modality);
    if (warning) hooks.onWarning?.(warning);
  };

  hooks.onPhase?.('measuring the untrained networks and the k-means baseline');
  const before = await timed('untrained', () => baselineFigures(gpu, data, config));
  const ssm = await timed('ssm', () =>
    trainSsm(gpu, training, config, {
      onProgress: hooks.onStep,
      onClusters(epoch, images, points) {
        hooks.onMetrics?.({ stage: 'ssm', epoch, clusterSizes: { images, points } });
        checkClusters(`ssm epoch ${epoch + 1}`, images, 'images');
        checkClusters(`ssm epoch ${epoch + 1}`, points, 'clouds');
      },
    }),
  );
  hooks.onPhase?.('pseudo labels');
  const labels = await timed('pseudoLabels', () => pseudoLabels(gpu, ssm, training, config));
  checkClusters('pseudo labels', clusterSizes(labels.images, config.clusters), 'images');
  checkClusters('pseudo labels', clusterSizes(labels.points, config.clusters), 'clouds');
  hooks.onPseudoLabels?.(labels);
  const afterSsm = await timed('figures', () => figuresOf(gpu, ssm.encoders, data, config));
  hooks.onMetrics?.({ stage: 'ssm', ...afterSsm });
  const rdl = await timed('rdl', () => trainRdl(gpu, training, config, labels, ssm, { onProgress: hooks.onStep }));
  hooks.onPhase?.('measuring');
  const afterRdl = await timed('figures', () => figuresOf(gpu, rdl.encoders, data, config));
  hooks.onMetrics?.({ stage: 'rdl', ...afterRdl });
  const result: RunResult = {
    adapter: gpu.adapterName,
    stages: { ...before, ssm: afterSsm, rdl: afterRdl },
    pseudoLabelAccuracy: data.train.labels && pseudoLabelAccuracy(labels, data.train.labels, config.clusters),
    seconds,
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

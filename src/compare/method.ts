/** What a compared method is: a description, and how it trains. docs/compare.md shows how to add one. */
import type { Labels, PairedData } from '../data/types.ts';
import type { Config } from '../romo/config.ts';
import type { Embeddings } from '../romo/embedding.ts';
import type { TrainingData } from '../romo/method/feeder.ts';
import type { StageHooks, StepReport } from '../romo/method/stage.ts';
import type { Gpu } from '../tensor/device.ts';
import type { WarmUp } from './warm_up.ts';

/** The kinds of methods, in the order of the tables, with their headings. */
export const KINDS = {
  linear: 'linear',
  deep: 'deep',
  clustering: 'clustering',
  noise: 'noise-robust losses, same pseudo labels',
  romo: 'RoMo',
  scale: 'for scale',
} as const;
export type Kind = keyof typeof KINDS;

/** The report of a step; `stage` is what the training under way is called. */
export type ShownStep = Omit<StepReport, 'stage'> & { readonly stage: string };

/** What every method of a comparison gets. There are no labels in it. */
export interface Setting {
  readonly gpu: Gpu;
  readonly data: TrainingData;
  /** sizes, encoders, steps, augmentation and seed: the same for all methods */
  readonly config: Config;
  readonly hooks: Pick<StageHooks, 'onPosition' | 'checkFinite' | 'pretrained'> & {
    onStep?: ((report: ShownStep) => void) | undefined;
  };
  /** RoMo's warm-up with this configuration; trained once for all methods that start from it. */
  warmUp(config: Config): Promise<WarmUp>;
  /** Reports something that the tables should mention, such as a collapse. */
  note(text: string): void;
}

/** A trained method: it embeds pairs. */
export interface Trained {
  embed(pairs: PairedData): Promise<Described>;
  /** Frees the networks. */
  dispose?(): void;
}

/** Embeddings, and the clusters of a method that does not find them by k-means of the pairs' means. */
export interface Described extends Embeddings {
  clusters?(): Promise<Int32Array>;
}

interface About {
  /** on the command line and in the tables */
  readonly name: string;
  readonly kind: Kind;
  /** what it does, in a few words */
  readonly what: string;
  /** authors, year and venue */
  readonly source: string;
  /** what it learns from */
  readonly uses: string;
}

/** A method that learns from pairs alone. */
export interface LabelFreeMethod extends About {
  readonly readsLabels?: false;
  train(setting: Setting): Promise<Trained>;
}

/** A method that reads the labels of the training objects. Every output says so. */
export interface SupervisedMethod extends About {
  readonly readsLabels: true;
  train(setting: Setting, labels: Labels): Promise<Trained>;
}

export type Method = LabelFreeMethod | SupervisedMethod;

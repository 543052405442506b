/** A comparison: each method, for each seed, on the same data. */
import type { DataSet, Labels } from '../data/types.ts';
import type { Config } from '../romo/config.ts';
import { trainingData } from '../romo/run/run.ts';
import type { Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { type ComparedFigures, collapseNotes, comparedFigures } from './figures.ts';
import type { Method, Setting, Trained } from './method.ts';
import { trainWarmUp, type WarmUp } from './warm_up.ts';

/** What became of a method with one seed. */
export interface Outcome {
  readonly method: string;
  readonly seed: number;
  /** does the method read the labels of the training objects? */
  readonly readsLabels: boolean;
  /** null if it failed */
  readonly figures: ComparedFigures | null;
  /** why it failed */
  readonly failure?: string;
  /** signs of a collapse */
  readonly notes: readonly string[];
  /** of its training, that of a shared warm-up included */
  readonly seconds: number;
  readonly adapter: string;
}

/** Keeps warm-ups between methods, and perhaps between programs. */
export interface WarmUps {
  /** null if there is none with this configuration */
  get(config: Config): Promise<WarmUp | null>;
  put(config: Config, warmUp: WarmUp): Promise<void>;
}

/** Faults of a method, which are results; all others are faults of the data, the device or the program. */
const OF_THE_METHOD = new Set(['not-finite', 'memory']);

/** Trains a method with one seed and measures it. Only methods that say so get labels. */
export async function compareMethod(
  gpu: Gpu,
  method: Method,
  data: DataSet,
  config: Config,
  { hooks, warmUps }: { hooks: Setting['hooks']; warmUps: WarmUps },
): Promise<Outcome> {
  using _scope = gpu.scope(); // frees the method's constants
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  let borrowed = 0; // seconds that a warm-up took when another method trained it
  const shared = { gpu, data: trainingData(data), hooks, note };
  const setting: Setting = {
    ...shared,
    config,
    async warmUp(of) {
      const kept = await warmUps.get(of);
      if (kept) {
        borrowed += kept.seconds;
        return kept;
      }
      const warmUp = await trainWarmUp(shared, of);
      await warmUps.put(of, warmUp);
      return warmUp;
    },
  };
  const about = { method: method.name, seed: config.seed, readsLabels: method.readsLabels === true };
  const { adapterName: adapter } = gpu;
  const start = performance.now();
  const seconds = () => borrowed + (performance.now() - start) / 1000;
  let trained: Trained | undefined;
  try {
    trained = method.readsLabels
      ? await method.train(setting, labelsOf(data, method.name))
      : await method.train(setting);
    const took = seconds();
    const figures = await comparedFigures(gpu, await trained.embed(data.test.pairs), data.test, config);
    return { ...about, figures, notes: [...notes, ...collapseNotes(figures)], seconds: took, adapter };
  } catch (error) {
    if (!(error instanceof RomoError && OF_THE_METHOD.has(error.code))) throw error;
    return { ...about, figures: null, failure: error.message, notes, seconds: seconds(), adapter };
  } finally {
    trained?.dispose?.();
  }
}

function labelsOf({ name, train }: DataSet, method: string): Labels {
  if (train.labels) return train.labels;
  throw new RomoError('data', `${method} reads labels, and ${name} has none`, 'Leave it out of --methods.');
}

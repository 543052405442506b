/**
 * Training in a worker: both stages, pause and resume, continuing after a lost device. The page only draws what is
 * reported.
 */
import { expose } from 'comlink';
import {
  type Config,
  clusterAccuracy,
  clusterSizes,
  type Encoders,
  embedAll,
  encodeModels,
  type Gpu,
  isLost,
  type LabelledDataSet,
  loadEncoders,
  meanAveragePrecision,
  openShapes,
  type Phase,
  SsmModel,
  type StepReport,
  type TrainingState,
  trainingData,
  trainStages,
  withLabelNoise,
} from 'romo';
import { tryOpenDevice } from '../shared/device.ts';
import { configOf, type Plan } from './plan.ts';
import { type Axes, project } from './projection.ts';

export interface MapOfSpace {
  /** x, y per object */
  readonly images: Float32Array;
  readonly clouds: Float32Array;
  readonly classes: Int32Array;
  readonly classNames: readonly string[];
}

export type Event =
  | { readonly type: 'phase'; readonly text: string }
  | { readonly type: 'step'; readonly report: StepReport }
  | { readonly type: 'clusters'; readonly sizes: readonly number[]; readonly of: string }
  | { readonly type: 'labels'; readonly right: number; readonly rightWithNoise: number }
  | {
      readonly type: 'epoch';
      /** counted over both stages; 0 is the untrained network */
      readonly epoch: number;
      /** describes the network */
      readonly of: string;
      readonly imageToPoints: number;
      readonly pointsToImage: number;
      readonly map: MapOfSpace;
    }
  | { readonly type: 'lost'; readonly text: string };

type Listener = (event: Event) => void;

/** One training run: its plan, its data, and the states from which it can resume. */
interface Session {
  readonly plan: Plan;
  readonly config: Config;
  readonly data: LabelledDataSet;
  /** after the latest epoch */
  state: TrainingState | undefined;
  /** after the latest epoch of stage 1 */
  warmedUp: TrainingState | undefined;
}

class Stopped extends Error {}

let gpu: Gpu | null = null;
let session: Session | null = null;
let file: Uint8Array | null = null;
let listener: Listener = () => {};
let axes: Axes | null = null;
/** resolves when training may continue; null while it runs */
let gate: { readonly opened: Promise<void>; open(): void } | null = null;
let stopping = false;
let running = false;

async function device(): Promise<Gpu> {
  if (gpu) return gpu;
  const opening = await tryOpenDevice();
  if ('refused' in opening) throw new Error(opening.refused);
  return adopt(opening.gpu);
}

/** Uses a newly opened device until it is lost. */
function adopt(opened: Gpu): Gpu {
  gpu = opened;
  void opened.device.lost.then(() => {
    if (gpu !== opened) return;
    gpu = null;
    if (!running)
      listener({ type: 'lost', text: 'The GPU was lost while idle. A new device will be opened when needed.' });
  });
  return opened;
}

function release(): void {
  gpu?.close();
  gpu = null;
}

async function report(
  encoders: Encoders,
  data: LabelledDataSet,
  config: Config,
  epoch: number,
  of = `After epoch ${epoch}`,
): Promise<void> {
  const { pairs, labels } = data.test;
  const { images, clouds, dimension } = await embedAll(encoders.gpu, encoders, pairs, config, data.rotation);
  const { values, classNames } = labels;
  const both = new Float32Array(2 * images.length);
  both.set(images);
  both.set(clouds, images.length);
  const projected = project(both, dimension, axes);
  axes = projected.axes;
  const map = {
    images: projected.positions.slice(0, 2 * pairs.length),
    clouds: projected.positions.slice(2 * pairs.length),
    classes: values,
    classNames,
  };
  const imageToPoints = meanAveragePrecision(images, values, clouds, values, dimension);
  const pointsToImage = meanAveragePrecision(clouds, values, images, values, dimension);
  listener({ type: 'epoch', epoch, of, imageToPoints, pointsToImage, map });
}

const PHASES: Partial<Record<Phase, string>> = {
  ssm: 'Stage 1, the warm-up: clusters of the memory bank supervise both encoders.',
  pseudoLabels: 'Pseudo labels: assigning each object to a cluster.',
  rdl: 'Stage 2: the pseudo labels supervise, and the loss decides which of them to trust.',
};

/** Both stages, from where the session is. */
async function attempt(current: Session, opened: Gpu): Promise<void> {
  const { config, data, plan } = current;
  const { pairs, labels: truth } = data.train;
  if (!current.state) {
    const untrained = new SsmModel(opened, config, pairs.imageShape[2]);
    await report(untrained.encoders, data, config, 0, 'Untrained');
    untrained.dispose();
  }
  const right = (values: Int32Array) => clusterAccuracy(values, truth.values, config.clusters, truth.classNames.length);
  const { ssm, rdl } = await trainStages(opened, trainingData(data), config, {
    resumeFrom: current.state,
    onStep: (step) => listener({ type: 'step', report: step }),
    async beforeStep() {
      await gate?.opened;
      if (stopping) throw new Stopped();
    },
    async afterEpoch(end) {
      current.state = await end.state();
      if (end.stage === 'ssm') current.warmedUp = current.state;
      await report(end.model.encoders, data, config, epochOf(current));
    },
    onPhase: (phase) => listener({ type: 'phase', text: PHASES[phase] ?? '' }),
    onClusters: (epoch, images) => listener({ type: 'clusters', sizes: images, of: `stage 1, epoch ${epoch + 1}` }),
    onRelabel({ epoch, confident, moved, agreement, clusterSizes: sizes }) {
      const [sure, changed, same] = [confident, moved, agreement].map((share) => Math.round(100 * share));
      const watched = `${sure} % confident, ${changed} % moved, picture and cloud agree on ${same} %`;
      listener({ type: 'clusters', sizes, of: `stage 2, epoch ${epoch + 1} (${watched})` });
    },
    changeLabels(found) {
      const labels = withLabelNoise(found, plan.noise, config);
      listener({ type: 'labels', right: right(found.images), rightWithNoise: right(labels.images) });
      listener({ type: 'clusters', sizes: clusterSizes(labels.images, config.clusters), of: 'pseudo labels' });
      return labels;
    },
  });
  file = await encodeModels({ ssm, rdl }, config, { data: 'built-in shapes' });
  ssm.dispose();
  rdl.dispose();
}

/** Completed epochs, counted over both stages. */
function epochOf({ state, config }: Session): number {
  if (!state) return 0;
  const { stage, epoch } = state.stage;
  return stage === 'rdl' ? config.ssm.epochs + epoch : epoch;
}

/** Trains until done or stopped, with a new device if one is lost. @returns true if training was completed */
async function trainToTheEnd(current: Session): Promise<boolean> {
  for (;;) {
    const opened = await device();
    try {
      await attempt(current, opened);
      return true;
    } catch (error) {
      if (error instanceof Stopped) {
        release(); // also frees all tensors of the interrupted stage
        return false;
      }
      if (!(await isLost(opened, error))) throw error;
      release();
      const epoch = epochOf(current);
      const from = epoch > 0 ? `the end of epoch ${epoch}` : 'the start';
      listener({ type: 'lost', text: `The GPU was lost. It was opened again, and training continues from ${from}.` });
    }
  }
}

/** Runs a session until it is done or stopped. */
async function train(prepare: () => Promise<Session>): Promise<boolean> {
  stopping = false;
  gate = null;
  running = true;
  try {
    session = await prepare();
    return await trainToTheEnd(session);
  } finally {
    running = false;
  }
}

const trainer = {
  /** @param whatHappens receives every event from now on */
  async open(whatHappens: Listener): Promise<{ adapter: string; software: boolean } | { refused: string }> {
    listener = whatHappens;
    const opening = await tryOpenDevice();
    if ('refused' in opening) return opening;
    const { adapterName, software } = adopt(opening.gpu);
    return { adapter: adapterName, software };
  },

  /** Trains both stages from the start. @returns true if training was completed, false if it was stopped */
  async start(plan: Plan): Promise<boolean> {
    axes = null;
    const config = configOf(plan);
    listener({ type: 'phase', text: `Making ${config.train + config.test} objects.` });
    return train(async () => ({ plan, config, data: await openShapes(config), state: undefined, warmedUp: undefined }));
  },

  /** Trains stage 2 again from the existing warm-up, with the plan's optimiser, loss and noise. */
  async stageTwo(plan: Plan): Promise<boolean> {
    const warm = session;
    if (!warm?.warmedUp || warm.warmedUp.stage.epoch !== warm.config.ssm.epochs)
      throw new Error('Stage 1 has not been trained yet. Start a run first.');
    const { rdl, recipe = 'paper', optimizer = 'sgd', clusterBy = 'pairs' } = configOf(plan);
    return train(async () => ({
      ...warm,
      plan: { ...warm.plan, noise: plan.noise },
      config: { ...warm.config, recipe, optimizer, clusterBy, rdl },
      state: warm.warmedUp,
    }));
  },

  pause(): void {
    if (gate) return;
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    gate = { opened, open };
  },

  resume(): void {
    gate?.open();
    gate = null;
  },

  stop(): void {
    stopping = true;
    trainer.resume();
  },

  /** The trained model as the bytes of a file, or null. */
  model: (): Uint8Array | null => file,

  /** Shows how a saved model embeds the built-in shapes, with its own sizes of pictures and clouds. */
  async load(bytes: Uint8Array, name: string): Promise<void> {
    const { encoders, config, imageShape } = loadEncoders(await device(), bytes, name);
    if (imageShape[2] !== 1) {
      encoders.dispose();
      throw new Error(
        `${name} expects colour pictures; the built-in shapes are grey. Choose a model trained on grey pictures.`,
      );
    }
    axes = null;
    const data = await openShapes({ ...config, train: 0, test: 100 });
    await report(encoders, data, config, 0, `Loaded from ${name}`);
    encoders.dispose();
    file = bytes;
  },

  /** Takes the device away, to see that training continues. */
  loseDevice(): void {
    gpu?.device.destroy();
  },
};

export type Trainer = typeof trainer;
expose(trainer);

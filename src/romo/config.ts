/** The presets, and the check that the values of a configuration fit together. */
import { faultsOf } from '../data/fields.ts';
import { RomoError } from '../tensor/error.ts';
import { type Config, FIELDS, type StageConfig } from './config_fields.ts';

export type { Config, RdlConfig, SsmConfig, StageConfig } from './config_fields.ts';

/** Sets that show objects from random directions already: further rotation and shear only blur them. */
const TURNED = /^(shapes$|modelnet:|voxels:)/;

/**
 * The augmentation that measured better on a kind of data, see docs/results.md: digits gain from the rotations of `strong`.
 */
export const defaultAugmentation = (data: string): Config['augment'] => (TURNED.test(data) ? 'mild' : 'strong');

export type PresetName = Config['preset'];

const SMALL: Config = {
  data: 'shapes',
  preset: 'small',
  seed: 1,
  train: 1000,
  test: 500,
  batch: 50,
  clusters: 10,
  imageSize: 32,
  points: 128,
  sampling: 'farthest',
  resnet: 'small',
  resnetWidth: 16,
  pointEncoder: 'dgcnn',
  pointWidths: [32, 32, 64, 128],
  momentum: 0.9,
  headTemperature: 0.1,
  augment: defaultAugmentation('shapes'),
  ssm: {
    epochs: 18,
    learningRate: 0.03,
    weightDecay: 1e-4,
    tau: 0.1,
    dimension: 128,
    k: 8,
    lambda: 0.5,
    target: 'joint',
    memoryMomentum: 0.9,
  },
  rdl: {
    epochs: 8,
    learningRate: 0.02,
    weightDecay: 1e-4,
    tau: 0.15,
    dimension: 128,
    k: 8,
    beta: 0.7,
    alpha: 0.25,
    from: 'warm',
    sharedHead: true,
    hidden: 128,
    pseudoLabels: 'pairs',
  },
};

/** Configurations to start from: `tiny` for tests, `small` for CPUs, `paper` for GPUs. */
export const PRESETS: Record<PresetName, Config> = {
  small: SMALL,
  tiny: {
    ...SMALL,
    preset: 'tiny',
    train: 40,
    test: 20,
    batch: 10,
    imageSize: 20,
    points: 64,
    resnetWidth: 8,
    pointWidths: [8, 8, 16, 32],
    ssm: { ...SMALL.ssm, epochs: 2, dimension: 32, k: 8 },
    rdl: { ...SMALL.rdl, epochs: 2, dimension: 32, k: 8, hidden: 32 },
  },
  paper: {
    ...SMALL,
    preset: 'paper',
    train: 5000,
    test: 1000,
    imageSize: 224,
    points: 1024,
    sampling: 'random',
    resnet: 18,
    resnetWidth: 64,
    pointWidths: [64, 64, 128, 256],
    ssm: {
      epochs: 30,
      learningRate: 1e-3,
      weightDecay: 1e-5,
      tau: 0.05,
      dimension: 1024,
      k: 20,
      lambda: 0.75,
      target: 'joint',
      memoryMomentum: 0.9,
    },
    rdl: {
      epochs: 50,
      learningRate: 2e-4,
      weightDecay: 1e-6,
      tau: 0.15,
      dimension: 256,
      k: 40,
      beta: 0.7,
      alpha: 0.25,
      from: 'fresh',
      sharedHead: true,
      hidden: 128,
      pseudoLabels: 'pairs',
    },
  },
};

/** Temperature of the logits in `rdl`. */
export const temperatureOfRdl = ({ headTemperature, rdl }: Pick<Config, 'headTemperature' | 'rdl'>): number =>
  rdl.headTemperature ?? headTemperature;

/** The recipe that measured better with a preset; the sizes of `paper` come with its method. */
export const defaultRecipe = (preset: PresetName): Config['recipe'] => (preset === 'paper' ? 'paper' : 'robust');

/**
 * The configuration with a recipe's choices. `paper`: the published method, unchanged; `robust`: what measured better,
 * see docs/results.md.
 */
export function withRecipe(config: Config, recipe: NonNullable<Config['recipe']>): Config {
  if (recipe === 'paper') return { ...config, recipe };
  const { ssm, rdl } = config;
  return {
    ...config,
    recipe,
    clusterBy: 'best',
    joinedFrom: 4,
    ssm: { ...ssm, within: 0.5 },
    rdl: {
      ...rdl,
      selfLabels: true,
      loss: 'cross-entropy',
      headTemperature: 0.2,
      pull: rdl.sharedHead ? 0.5 : 0,
    },
  };
}

/**
 * The configuration with an optimiser. AdamW's steps are about as long as its rate, whatever the gradients are, so it takes
 * half of SGD's rates; its weight decay does not pass through the averages, and is larger. See docs/results.md.
 * @param config with the rates of SGD, as all presets have
 */
export function withOptimizer(config: Config, optimizer: NonNullable<Config['optimizer']>): Config {
  if (optimizer === 'sgd') return { ...config, optimizer };
  const tuned = <Stage extends StageConfig>(stage: Stage): Stage => ({
    ...stage,
    learningRate: stage.learningRate / 2,
    weightDecay: 1e-2,
  });
  return { ...config, optimizer, ssm: tuned(config.ssm), rdl: tuned(config.rdl) };
}

/**
 * Checks a stored configuration.
 * @param name where it was stored, for errors
 * @throws RomoError `file` if fields are missing, invalid, or do not fit together
 */
export function parseConfig(value: unknown, name: string): Config {
  const valueAt = (path: string): unknown =>
    path.split('.').reduce<unknown>((holder, field) => Object(holder)[field], value);
  const faults = faultsOf(FIELDS, valueAt);
  if (faults.length === 0) {
    const fault = misfit(value as Config);
    if (!fault) return value as Config;
    faults.push(fault.message);
  }
  throw new RomoError('file', `${name}: ${faults.join('; ')}`, 'Use a configuration that a run has written.');
}

/** @throws RomoError `option` that names the values that do not fit together */
export function checkConfig(config: Config): void {
  const fault = misfit(config);
  if (fault) throw new RomoError('option', fault.message, fault.fix);
}

/** What does not fit together, and the fix. */
function misfit(config: Config): { message: string; fix: string } | null {
  const { train, test, batch, clusters, points, pointEncoder, ssm, rdl } = config;
  if (batch > train) {
    return { message: `a batch of ${batch} is larger than the ${train} training objects`, fix: 'Lower --batch.' };
  }
  if (batch < 2) {
    return { message: `a batch of ${batch} has no other pair to compare with`, fix: 'Use --batch 2 or more.' };
  }
  if (clusters < 2) return { message: `${clusters} clusters are too few`, fix: 'Use --clusters 2 or more.' };
  if (clusters > Math.min(train, test)) {
    const message = `${clusters} clusters are more than the ${train} training or ${test} test objects`;
    return { message, fix: 'Lower --clusters.' };
  }
  for (const [name, stage] of Object.entries({ ssm, rdl })) {
    if (pointEncoder === 'dgcnn' && stage.k > points) {
      const message = `${name}: ${stage.k} neighbours are more than the ${points} points of a cloud`;
      return { message, fix: `Lower --k-${name}.` };
    }
  }
  if (rdl.from === 'warm' && (rdl.dimension !== ssm.dimension || rdl.k !== ssm.k)) {
    const sizes = `dimension ${ssm.dimension} and ${rdl.dimension}, k ${ssm.k} and ${rdl.k}`;
    const message = `rdl cannot start from the warmed-up encoders: ${sizes} differ`;
    return { message, fix: 'Make them equal or use --rdl-from fresh.' };
  }
  if (rdl.pull && !(rdl.selfLabels && rdl.sharedHead)) {
    const message = 'embeddings are drawn to the centres of one head for both modalities, with self-labelling';
    return { message, fix: 'Use --recipe robust with --heads shared, or --pull 0.' };
  }
  return null;
}

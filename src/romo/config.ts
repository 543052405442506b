/** Everything that shapes a run, and the presets. */
import { RomoError } from '../tensor/error.ts';
import { faultsOf } from './config_fields.ts';

/** Where the warm-up's targets come from; see SsmConfig.target. */
export type SsmTarget = 'memory' | 'soft' | 'joint' | 'balanced';
/** How strongly objects are changed before each showing. */
export type Augmentation = 'mild' | 'strong';

/** What both stages have. */
export interface StageConfig {
  epochs: number;
  learningRate: number;
  weightDecay: number;
  /** temperature of L_mlm */
  tau: number;
  /** length of the embedding */
  dimension: number;
  /** neighbours in DGCNN's graphs */
  k: number;
}

/** The warm-up. */
export interface SsmConfig extends StageConfig {
  /** share of L_ssm; 1 - lambda is L_mlm's */
  lambda: number;
  /** memory, soft: the head's own view of the memory row, hard or sharpened; joint, balanced: clusters of each epoch */
  target: SsmTarget;
  memoryMomentum: number;
}

/** Robust learning on pseudo labels. */
export interface RdlConfig extends StageConfig {
  /** share of RCLL; 1 - beta is L_mlm's */
  beta: number;
  /** what learns from the pseudo labels; default rcll. With alpha 0 RCLL is MAE, with 1 focal loss */
  loss?: 'rcll' | 'cross-entropy';
  alpha: number;
  /** encoders start fresh, or from the warm-up's */
  from: 'fresh' | 'warm';
  /** one head for both modalities, or one each */
  sharedHead: boolean;
  hidden: number;
  /** from the trained heads, or from clusters of each pair's mean embedding */
  pseudoLabels: 'heads' | 'pairs';
}

/** How a data set is read that leaves a choice; see DataOptions of src/data/types.ts. */
export interface SetConfig {
  onBad?: 'fail' | 'skip';
  channels?: 1 | 3;
  views?: number;
  up?: 'x' | 'y' | 'z';
  everyFrame?: number;
  heldOutInstance?: number;
}

/** A whole run. */
export interface Config {
  data: string;
  set?: SetConfig;
  preset: PresetName;
  seed: number;
  train: number;
  test: number;
  batch: number;
  clusters: number;
  imageSize: number;
  points: number;
  resnet: 'small' | 18 | 34 | 50 | 101;
  resnetWidth: number;
  pointEncoder: 'dgcnn' | 'pointnet';
  /** channels of the point encoder's layers */
  pointWidths: number[];
  momentum: number;
  /** of the heads' logits of unit features */
  headTemperature: number;
  augment: Augmentation;
  /** What the image encoder was pretrained to see: channels less ImageNet's means, by its deviations. Default: as they are. */
  imageNormalization?: 'imagenet';
  /** files of weights that fresh encoders start from */
  weights?: { image?: string; imageSha256?: string; points?: string; pointsSha256?: string };
  ssm: SsmConfig;
  rdl: RdlConfig;
}

/** The better augmentation of those measured on a data set, see docs/results.md: the turns of `strong` pay for digits. */
export const defaultAugmentation = (data: string): Augmentation => (data === 'shapes' ? 'mild' : 'strong');

export const PRESET_NAMES = ['tiny', 'small', 'paper'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

const SMALL: Config = {
  data: 'shapes',
  preset: 'small',
  seed: 1,
  train: 1000,
  test: 500,
  batch: 50,
  clusters: 10,
  imageSize: 32,
  points: 256,
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

/**
 * A configuration that was stored, checked.
 * @param name what errors call the place where it was stored
 * @throws RomoError `file` where fields are missing, are not what they may be, or do not fit together
 */
export function parseConfig(value: unknown, name: string): Config {
  const faults = faultsOf(value);
  if (faults.length === 0) {
    const fault = misfit(value as Config);
    if (!fault) return value as Config;
    faults.push(fault.message);
  }
  throw new RomoError('file', `${name}: ${faults.join('; ')}`, 'Use the configuration that a run has written.');
}

/** Throws `option`, naming what does not fit together. */
export function checkConfig(config: Config): void {
  const fault = misfit(config);
  if (fault) throw new RomoError('option', fault.message, fault.fix);
}

/** What does not fit together, and the way out. */
function misfit(config: Config): { message: string; fix: string } | null {
  const { train, test, batch, clusters, points, pointEncoder, ssm, rdl } = config;
  if (batch > train) {
    return { message: `a batch of ${batch} is larger than the ${train} training objects`, fix: 'Lower --batch.' };
  }
  if (batch < 2) {
    return { message: `a batch of ${batch} has no other pair to tell apart`, fix: 'Use --batch 2 or more.' };
  }
  if (clusters < 2) return { message: `${clusters} clusters tell nothing apart`, fix: 'Use --clusters 2 or more.' };
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
  return null;
}

/**
 * The fields of a configuration: its type, the command line and the check of stored configurations come from these
 * tables.
 */
import {
  DATA_FIELDS,
  oneOf,
  optional,
  PREPARED_FIELDS,
  real,
  SET_FIELDS,
  text,
  type Values,
  whole,
  wholes,
} from '../data/fields.ts';

const WIDEST = 2 ** 14; // channels: far beyond any encoder
const COLDEST = 1e-6; // smallest temperature, since logits are divided by it

const STAGE_FIELDS = {
  epochs: whole(1),
  learningRate: real(0),
  weightDecay: real(0),
  /** temperature of L_mlm */
  tau: real(COLDEST),
  /** length of the embedding */
  dimension: whole(1, WIDEST),
  /** neighbours in DGCNN's graphs */
  k: whole(1),
};

const SSM_FIELDS = {
  ...STAGE_FIELDS,
  /** weight of L_ssm; L_mlm has weight 1 - lambda */
  lambda: real(0, 1),
  /**
   * memory, soft: the head's prediction for the memory row, hard or sharpened; joint, balanced: clusters of each epoch
   */
  target: oneOf('memory', 'soft', 'joint', 'balanced'),
  memoryMomentum: real(0, 1),
  /** weight of L_mlm between two augmentations of each image; default 0 */
  within: optional(real(0)),
  /**
   * weight of L_mlm between two augmentations of each cloud, whose mean is then the partner of the image; default 0: one
   * augmentation
   */
  withinClouds: optional(real(0)),
};

const RDL_FIELDS = {
  ...STAGE_FIELDS,
  /** weight of the labels' loss; L_mlm has weight 1 - beta */
  beta: real(0, 1),
  /**
   * loss on the pseudo labels; default rcll, in the robust recipe cross-entropy. RCLL is MAE with alpha 0 and focal loss
   * with alpha 1
   */
  loss: optional(oneOf('rcll', 'cross-entropy')),
  alpha: real(0),
  /** temperature of the logits; default that of the whole run, in the robust recipe 0.2 */
  headTemperature: optional(real(COLDEST)),
  /** how far embeddings are drawn to the head's centres, see encoders.ts; default 0, in the robust recipe 0.5 */
  pull: optional(real(0)),
  /** the encoders start fresh, or from those of the warm-up */
  from: oneOf('fresh', 'warm'),
  /** one head for both modalities, or one for each */
  sharedHead: oneOf(true, false),
  hidden: whole(1, WIDEST),
  /** from the trained heads, or from clusters of each pair's mean embedding */
  pseudoLabels: oneOf('heads', 'pairs'),
  /**
   * Self-labelling: new labels before each epoch, of which only the confident teach; method/self_labels.ts. Default no.
   */
  selfLabels: optional(oneOf(true, false)),
  /** share of each cluster that is confident in the first epoch, and in the last; default 0.7 and 0.95 */
  confidentFrom: optional(real(0, 1)),
  confidentTo: optional(real(0, 1)),
  /** neighbours that vote on a label, and how often; default 10 and 5 */
  voteNeighbours: optional(whole(1, 63)),
  voteRounds: optional(whole(0)),
};

const WEIGHTS_FIELDS = {
  image: optional(text),
  imageSha256: optional(text),
  points: optional(text),
  pointsSha256: optional(text),
};

const RUN_FIELDS = {
  /** `shapes`, or KIND:PATH, see docs/data.md */
  data: text,
  preset: oneOf('tiny', 'small', 'paper'),
  ...DATA_FIELDS,
  batch: whole(1),
  clusters: whole(1),
  resnet: oneOf('small', 18, 34, 50, 101),
  resnetWidth: whole(1, WIDEST),
  pointEncoder: oneOf('dgcnn', 'pointnet'),
  /** channels of the point encoder's layers */
  pointWidths: wholes(1, WIDEST),
  /** What moves the parameters. Default sgd. */
  optimizer: optional(oneOf('sgd', 'adamw')),
  /** of SGD; beta1 of AdamW */
  momentum: real(0, 1),
  /** temperature of the heads' logits of unit features */
  headTemperature: real(COLDEST),
  /** How a network's points are chosen from a cloud, see data/subsample.ts. Default random. */
  sampling: optional(oneOf('random', 'farthest')),
  /** How strongly objects are augmented. */
  augment: oneOf('mild', 'strong'),
  /** The recipe that the fields started from, see withRecipe in config.ts. Default paper. */
  recipe: optional(oneOf('paper', 'robust')),
  /** What is clustered: the mean of both views of an object, one of them, or all three (`best`); method/views.ts. */
  clusterBy: optional(oneOf('pairs', 'images', 'clouds', 'best')),
  /**
   * Small clusters per cluster, which are joined, see method/modularity.ts; default 1: not joined, in the robust recipe 4
   */
  joinedFrom: optional(whole(1)),
  /**
   * Images are normalised by ImageNet's means and deviations, as the pretrained encoder expects. Default: they are not.
   */
  imageNormalization: optional(oneOf('imagenet')),
};

/** Configuration that both stages have. */
export interface StageConfig extends Values<typeof STAGE_FIELDS> {}

/** Configuration of the warm-up. */
export interface SsmConfig extends Values<typeof SSM_FIELDS> {}

/** Configuration of robust learning on pseudo labels. */
export interface RdlConfig extends Values<typeof RDL_FIELDS> {}

/** Configuration of a whole run. */
export interface Config extends Values<typeof RUN_FIELDS> {
  /** how the data set is read */
  set?: Values<typeof SET_FIELDS & typeof PREPARED_FIELDS>;
  /** files of weights that fresh encoders start from */
  weights?: Values<typeof WEIGHTS_FIELDS>;
  ssm: SsmConfig;
  rdl: RdlConfig;
}

type Under<Group extends string, F> = { readonly [K in keyof F & string as `${Group}.${K}`]: F[K] };

const under = <Group extends string, F>(group: Group, fields: F) =>
  Object.fromEntries(Object.entries(fields as object).map(([name, field]) => [`${group}.${name}`, field])) as Under<
    Group,
    F
  >;

/** All fields by their path in the configuration, such as `ssm.epochs`. */
export const FIELDS = {
  ...RUN_FIELDS,
  ...under('set', { ...SET_FIELDS, ...PREPARED_FIELDS }),
  ...under('weights', WEIGHTS_FIELDS),
  ...under('ssm', SSM_FIELDS),
  ...under('rdl', RDL_FIELDS),
};

export type FieldPath = keyof typeof FIELDS;

/** The command line of training: every hyper-parameter is an option with the preset's value as its default. */
import { Command, Option } from 'commander';
import { ALL, backgroundOf, type Field, oneOf } from '../data/fields.ts';
import type { KnownObjects } from '../data/types.ts';
import {
  type Config,
  checkConfig,
  defaultAugmentation,
  defaultRecipe,
  PRESETS,
  type PresetName,
  type StageConfig,
  withOptimizer,
  withRecipe,
} from '../romo/config.ts';
import { FIELDS, type FieldPath } from '../romo/config_fields.ts';
import { RomoError } from '../tensor/error.ts';
import { addDataOptions, type OpenedData, openRunData } from './data.ts';
import { addDeviceOptions, type GivenDevice } from './device.ts';
import { byteCount, countOrAll, parserOf, whole } from './parse.ts';
import { type UsedWeights, usePretrained } from './weights.ts';

export interface TrainOptions {
  /** configuration of a new run */
  readonly config: Config;
  /** values given on the command line, by option and path in the configuration */
  readonly asked: readonly { readonly flag: string; readonly path: string; readonly value: unknown }[];
  readonly out: string;
  readonly overwrite: boolean;
  /** continue the run in `out` */
  readonly resume: boolean;
  /** steps of an epoch between two checkpoints; by time if null */
  readonly checkpointEvery: number | null;
  readonly quiet: boolean;
  readonly device: GivenDevice;
  /** bytes of GPU memory; no limit if undefined */
  readonly memory: number | undefined;
  /** check the output of every kernel */
  readonly checkFinite: boolean;
  /** what the encoders of a new run start from */
  readonly weights: UsedWeights | null;
  /** only show the data */
  readonly inspect: boolean;
  /** the user named no number: take as many as there are, up to the preset's number */
  readonly fewerWillDo: { readonly train: boolean; readonly test: boolean };
  /** Opens the data of a configuration, with the options of this command that do not change results. */
  openData(config: Config, known: KnownObjects | null): Promise<OpenedData>;
}

/** Fields without an option of their own: what other options and files decide. */
type Unasked =
  | 'preset'
  | 'rdl.selfLabels'
  | 'imageNormalization'
  | 'set.background'
  | 'weights.imageSha256'
  | 'weights.pointsSha256';
type OptionPath = Exclude<FieldPath, Unasked>;
/** An option's flags and help text. Its field says which values are valid. */
type Row = readonly [flags: string, text: string];

const STAGE_ROWS: Readonly<Record<keyof StageConfig, Row>> = {
  epochs: ['--epochs-STAGE <n>', 'STAGE: epochs'],
  learningRate: ['--lr-STAGE <x>', 'STAGE: learning rate, cosine to 0'],
  weightDecay: ['--weight-decay-STAGE <x>', 'STAGE: weight decay'],
  tau: ['--tau-STAGE <x>', 'STAGE: temperature of L_mlm'],
  dimension: ['--dimension-STAGE <n>', 'STAGE: length of the embedding'],
  k: ['--k-STAGE <n>', "STAGE: neighbours in DGCNN's graphs"],
};

const rowsOf = <Stage extends 'ssm' | 'rdl'>(stage: Stage) =>
  Object.fromEntries(
    Object.entries(STAGE_ROWS).map(([name, row]) => [
      `${stage}.${name}`,
      row.map((words) => words.replace('STAGE', stage)) as unknown as Row,
    ]),
  ) as Record<`${Stage}.${keyof StageConfig}`, Row>;

/** Every field that a user may set, in the order of the help. */
const ROWS: Readonly<Record<OptionPath, Row>> = {
  data: [
    '--data <spec>',
    'shapes (built in), mnist3d:DIR, modelnet:DIR, voxels:FILE, rgbd:DIR or folder:DIR (your own)',
  ],
  train: ['--train <n>', 'training objects, or all'],
  test: ['--test <n>', 'objects held out for the figures, or all'],
  seed: ['--seed <n>', 'seed of all random numbers'],
  batch: ['--batch <n>', 'pairs per step'],
  clusters: ['--clusters <n>', 'number of clusters: all that training needs to know about the classes'],
  imageSize: ['--image-size <n>', 'height and width of the images in pixels'],
  points: ['--points <n>', 'points per cloud'],
  sampling: ['--sampling <how>', 'how they are chosen: the farthest from each other, or at random'],
  recipe: [
    '--recipe <name>',
    'robust: with a second view of each image, and new labels before each epoch of rdl, of which only the confident teach; paper: the published method (default: robust; with --preset paper, paper)',
  ],
  augment: ['--augment <strength>', 'augmentation; default mild for shapes, modelnet and voxels, else strong'],
  resnet: ['--resnet <depth>', 'image encoder'],
  resnetWidth: ['--resnet-width <n>', "channels of the image encoder's first stage"],
  pointEncoder: ['--point-encoder <name>', 'point encoder'],
  pointWidths: ['--point-widths <list>', "channels of the point encoder's layers, such as 32,32,64,128"],
  optimizer: [
    '--optimizer <name>',
    'what moves the parameters; adamw has learning rates and weight decay of its own (default: sgd)',
  ],
  momentum: ['--momentum <x>', 'momentum of SGD, beta1 of AdamW'],
  headTemperature: ['--head-temperature <x>', "temperature of the heads' logits"],
  clusterBy: [
    '--cluster-by <view>',
    'view of the objects that is clustered; best: all three, whose better clusterings vote (default: pairs)',
  ],
  joinedFrom: [
    '--joined-from <n>',
    'small clusters per cluster, which are joined to those that are learned (default: 4; with --recipe paper, 1)',
  ],
  ...rowsOf('ssm'),
  ...rowsOf('rdl'),
  'ssm.lambda': ['--lambda <x>', 'ssm: weight of L_ssm; L_mlm has the rest'],
  'ssm.target': ['--ssm-target <name>', 'ssm: source of the targets'],
  'ssm.memoryMomentum': ['--memory-momentum <x>', 'ssm: momentum of the memory banks'],
  'ssm.within': [
    '--within <x>',
    'ssm: weight of L_mlm between two augmentations of an image (default: 0.5 with the recipe robust, else 0)',
  ],
  'ssm.withinClouds': [
    '--within-clouds <x>',
    'ssm: the same for clouds, whose two views then share the image as a partner (default: 0)',
  ],
  'rdl.beta': ['--beta <x>', 'rdl: weight of RCLL; L_mlm has the rest'],
  'rdl.alpha': ['--alpha <x>', "rdl: RCLL's exponent"],
  'rdl.headTemperature': [
    '--head-temperature-rdl <x>',
    'rdl: temperature of its logits (default: 0.2; with --recipe paper, that of --head-temperature)',
  ],
  'rdl.pull': [
    '--pull <x>',
    'robust: how far embeddings are drawn to the centres of the clusters (default: 0.5; 0: not at all)',
  ],
  'rdl.from': ['--rdl-from <start>', 'rdl: initial weights of its encoders'],
  'rdl.hidden': ['--hidden <n>', 'rdl: hidden channels of the head'],
  'rdl.sharedHead': ['--heads <kind>', 'rdl: one head for both modalities or one for each'],
  'rdl.pseudoLabels': ['--pseudo-labels <source>', 'rdl: labels from the trained heads or from clusters of pairs'],
  'rdl.loss': [
    '--loss <name>',
    'rdl: what learns from the pseudo labels (default: cross-entropy; with --recipe paper, rcll)',
  ],
  'rdl.confidentFrom': [
    '--confident-from <x>',
    'robust: confident share of a cluster in the first epoch (default: 0.7)',
  ],
  'rdl.confidentTo': ['--confident-to <x>', 'robust: the same in the last epoch (default: 0.95)'],
  'rdl.voteNeighbours': [
    '--vote-neighbours <n>',
    'robust: nearest objects in each modality that vote on a label (default: 10)',
  ],
  'rdl.voteRounds': ['--vote-rounds <n>', 'robust: how often they vote (default: 5)'],
  'weights.image': [
    '--image-weights <file>',
    "safetensors file of torchvision's or timm's ResNet: initial weights of the image encoder",
  ],
  'weights.points': [
    '--point-weights <file>',
    'safetensors file of the official DGCNN: initial weights of the point encoder',
  ],
  'set.onBad': [
    '--on-bad <what>',
    'a bad object ends the run, or is skipped and listed in skipped.json (default: fail)',
  ],
  'set.views': ['--views <n>', 'modelnet, voxels: rendered views per object (default: 1)'],
  'set.up': ['--up <axis>', 'axis that points up in the 3D files (default: z; GLB always has y)'],
  'set.everyFrame': ['--every <n>', 'rgbd: every n-th frame (default: 1)'],
  'set.heldOutInstance': ['--held-out <n>', 'rgbd: which instance of each class is held out (default: 1)'],
  'set.channels': ['--image-channels <n>', "1 grey, 3 colour (default: as in the set's pictures)"],
};
const PATHS = Object.keys(ROWS) as OptionPath[];

/** Options with other words than their fields have values. */
const WORDS = { 'rdl.sharedHead': oneOf('shared', 'separate') };
const PARSERS: Partial<Record<OptionPath, (text: string) => unknown>> = {
  train: countOrAll,
  test: countOrAll,
  'rdl.sharedHead': (text) => parserOf(WORDS['rdl.sharedHead'])(text) === 'shared',
};

/** The command with all its options; defaults are the preset's. */
export function trainCommand(): Command {
  const command = new Command('train')
    .description('Learns one embedding space for images and 3D point clouds, without labels (RoMo).')
    .option('--out <dir>', 'folder of the run', 'runs/latest')
    .option('--overwrite', 'replace a run that is in the folder')
    .option('--resume <dir>', 'continue the run in that folder from its last checkpoint')
    .addOption(
      new Option(
        '--checkpoint-every <steps>',
        'write a checkpoint after this many steps; default: after a minute, taking at most 2% of the time. There is ' +
          'always one at the end of an epoch',
      ).argParser(whole(1)),
    )
    .option('--inspect', 'do not train: describe the data, and draw some of it into --out');
  return addRunOptions(command, 'config.json');
}

/**
 * Adds the options of whatever trains: preset, sizes and hyper-parameters, device and data. `readTrainOptions` reads them,
 * with the command's own --out, --overwrite and --resume.
 * @param file in --out that holds the configuration
 * @param without fields that the command decides itself
 */
export function addRunOptions(command: Command, file: string, without: readonly OptionPath[] = []): Command {
  command
    .usage('[options]')
    .addOption(new Option('--preset <name>', 'sizes and hyper-parameters').choices(FIELDS.preset.of).default('small'))
    .addOption(
      new Option('--memory <size>', 'GPU memory that tensors may take, such as 2GiB; default: no limit').argParser(
        byteCount,
      ),
    )
    .option('--check-finite', 'check the output of every kernel; stop at the first NaN or infinity (slow)')
    .option('--quiet', 'no progress, only the table')
    .helpOption('--help', 'show this')
    .addHelpText('after', `\nDefaults are the preset's; ${file} in --out shows what was used.`);
  for (const path of PATHS) if (!without.includes(path)) command.addOption(optionOf(path));
  return addDataOptions(addDeviceOptions(command));
}

function optionOf(path: OptionPath): Option {
  const option = new Option(...ROWS[path]);
  const field: Field = { ...FIELDS, ...WORDS }[path];
  if (field.kind === 'choice') option.choices(field.of.map(String)); // shown by the help
  return option.argParser(PARSERS[path] ?? parserOf(field));
}

/** Are fewer objects accepted? Yes, unless the user named a number. */
const upTo = (count: number | undefined): boolean => count === undefined || count === ALL;

/**
 * Reads the arguments into a checked configuration.
 * @param recipeOf the recipe of a preset, if none is given; undefined leaves the preset as it is
 */
export function readTrainOptions(command: Command, recipeOf = defaultRecipe): TrainOptions {
  const given = command.opts();
  const resume = given.resume !== undefined;
  const asked: { flag: string; path: string; value: unknown }[] = [];
  for (const path of PATHS) {
    const [flags] = ROWS[path];
    const value = given[new Option(flags).attributeName()];
    if (value !== undefined) asked.push({ flag: flags.split(' ')[0], path, value });
  }
  const preset = structuredClone(PRESETS[given.preset as PresetName]);
  preset.rdl.sharedHead = given.heads ?? preset.rdl.sharedHead; // on which a recipe depends
  const recipe = given.recipe ?? recipeOf(given.preset);
  const ofRecipe = recipe ? withRecipe(preset, recipe) : preset;
  const config = given.optimizer ? withOptimizer(ofRecipe, given.optimizer) : ofRecipe;
  for (const { path, value } of asked) placeOf(config, path).set(value);
  if (given.augment === undefined) config.augment = defaultAugmentation(config.data);
  // Stored, so that the model's pictures are prepared alike wherever they come from.
  if (config.data !== 'shapes') config.set = { ...config.set, background: backgroundOf(config.data) };
  const weights = resume ? null : usePretrained(config, new Set(asked.map(({ path }) => path)));
  if (!resume) {
    if (!given.inspect) checkConfig(config);
  } else {
    const isOwn = (name: string) => command.getOptionValueSource(name) === 'cli';
    if (isOwn('preset')) asked.push({ flag: '--preset', path: 'preset', value: given.preset });
    if (given.overwrite) throw contradiction('--overwrite', 'which starts again');
    if (isOwn('out') && given.out !== given.resume) throw contradiction(`--out ${given.out}`, 'another folder');
  }
  const fewerWillDo = { train: upTo(given.train), test: upTo(given.test) };
  return {
    config,
    asked,
    out: given.resume ?? given.out,
    overwrite: given.overwrite === true,
    resume,
    checkpointEvery: given.checkpointEvery ?? null,
    quiet: given.quiet === true,
    device: given,
    memory: given.memory,
    checkFinite: given.checkFinite === true,
    inspect: given.inspect === true,
    weights,
    fewerWillDo,
    // A resumed run keeps its object counts.
    openData: (opened, known) => openRunData(opened, command, resume ? { known } : { fewerWillDo }),
  };
}

/** A field of the configuration by its path, such as `ssm.epochs`; `set` exists only once one of its fields does. */
function placeOf(config: Config, path: string): { get(): unknown; set(value: unknown): void } {
  const [group, field] = path.split('.');
  const name = field ?? group;
  const holder = () => (field ? config[group as keyof Config] : config) as Record<string, unknown> | undefined;
  return {
    get: () => holder()?.[name],
    set(value) {
      if (group === 'set' || group === 'weights') config[group] ??= {};
      Object.assign(holder() as Record<string, unknown>, { [name]: value });
    },
  };
}

/** Throws `option` if the command line asks for another run than the one that is resumed. */
export function checkAgreement({ asked }: Pick<TrainOptions, 'asked'>, config: Config): void {
  for (const { flag, path, value } of asked) {
    const own = JSON.stringify(placeOf(config, path).get());
    if (JSON.stringify(value) !== own) throw contradiction(`${flag} ${JSON.stringify(value)}`, `the run has ${own}`);
  }
}

const contradiction = (what: string, why: string): RomoError =>
  new RomoError('option', `${what} contradicts --resume: ${why}`, 'Leave it out, or start a new run.');

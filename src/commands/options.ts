/** The command line of training: every hyper-parameter as an option, with the preset's value as its default. */
import { Command, Option } from 'commander';
import {
  type Config,
  checkConfig,
  defaultAugmentation,
  PRESET_NAMES,
  PRESETS,
  type PresetName,
} from '../romo/config.ts';
import { FIELDS, type Field, OPTIONAL_FIELDS } from '../romo/config_fields.ts';
import { RomoError } from '../tensor/error.ts';
import { addDataOptions, type OpenedData, openRunData } from './data.ts';
import { ALL, byteCount, countOrAll, parserOf, whole } from './parse.ts';
import { type UsedWeights, usePretrained } from './weights.ts';

export interface TrainOptions {
  /** of a new run */
  readonly config: Config;
  /** values that the command line names, by option and place in the configuration */
  readonly asked: readonly { readonly flag: string; readonly path: string; readonly value: unknown }[];
  readonly out: string;
  readonly overwrite: boolean;
  /** go on with the run in `out` */
  readonly resume: boolean;
  /** steps of an epoch between two checkpoints; by time when null */
  readonly checkpointEvery: number | null;
  readonly quiet: boolean;
  readonly device: string | undefined;
  /** bytes of GPU memory; as much as there is when undefined */
  readonly memory: number | undefined;
  /** look at the output of every kernel */
  readonly checkFinite: boolean;
  /** that the encoders of a new run start from */
  readonly weights: UsedWeights | null;
  /** only look at the data */
  readonly inspect: boolean;
  /** the user named no number: as many as there are, up to the preset's */
  readonly fewerWillDo: { readonly train: boolean; readonly test: boolean };
  /** Opens the data of a configuration, with the options of this command that do not change results. */
  openData(config: Config): Promise<OpenedData>;
}

/** A hyper-parameter: its option, and its place in the configuration, which says what it may be. */
interface Row {
  flags: string;
  text: string;
  path: string;
  /** where the option has other words than the field has values */
  words?: Readonly<Record<string, unknown>>;
  parse?: (text: string) => unknown;
}

const ROWS: readonly Row[] = [
  {
    flags: '--data <spec>',
    text: 'shapes (built in), mnist3d:DIR, modelnet:DIR, voxels:FILE, rgbd:DIR or folder:DIR (your own)',
    path: 'data',
  },
  { flags: '--train <n>', text: 'training objects, or all', path: 'train', parse: countOrAll },
  { flags: '--test <n>', text: 'objects held out for the figures, or all', path: 'test', parse: countOrAll },
  { flags: '--seed <n>', text: 'seed of everything random', path: 'seed' },
  { flags: '--batch <n>', text: 'pairs per step', path: 'batch' },
  { flags: '--clusters <n>', text: 'number of clusters: all that must be known about the classes', path: 'clusters' },
  { flags: '--image-size <n>', text: 'height and width of the images in pixels', path: 'imageSize' },
  { flags: '--points <n>', text: 'points per cloud', path: 'points' },
  { flags: '--augment <strength>', text: 'augmentation; default mild for shapes, else strong', path: 'augment' },
  { flags: '--resnet <depth>', text: 'image encoder', path: 'resnet' },
  { flags: '--resnet-width <n>', text: 'channels of its first stage', path: 'resnetWidth' },
  { flags: '--point-encoder <name>', text: 'point encoder', path: 'pointEncoder' },
  { flags: '--point-widths <list>', text: 'channels of its layers, such as 32,32,64,128', path: 'pointWidths' },
  { flags: '--momentum <x>', text: 'momentum of SGD', path: 'momentum' },
  { flags: '--head-temperature <x>', text: "temperature of the heads' logits", path: 'headTemperature' },
  ...(['ssm', 'rdl'] as const).flatMap((stage): Row[] => [
    { flags: `--epochs-${stage} <n>`, text: `${stage}: epochs`, path: `${stage}.epochs` },
    { flags: `--lr-${stage} <x>`, text: `${stage}: learning rate, cosine to 0`, path: `${stage}.learningRate` },
    { flags: `--weight-decay-${stage} <x>`, text: `${stage}: weight decay`, path: `${stage}.weightDecay` },
    { flags: `--tau-${stage} <x>`, text: `${stage}: temperature of L_mlm`, path: `${stage}.tau` },
    { flags: `--dimension-${stage} <n>`, text: `${stage}: length of the embedding`, path: `${stage}.dimension` },
    { flags: `--k-${stage} <n>`, text: `${stage}: neighbours in DGCNN's graphs`, path: `${stage}.k` },
  ]),
  { flags: '--lambda <x>', text: 'ssm: share of L_ssm, the rest is L_mlm', path: 'ssm.lambda' },
  { flags: '--ssm-target <name>', text: 'ssm: where targets come from', path: 'ssm.target' },
  { flags: '--memory-momentum <x>', text: 'ssm: momentum of the memory banks', path: 'ssm.memoryMomentum' },
  { flags: '--beta <x>', text: 'rdl: share of RCLL, the rest is L_mlm', path: 'rdl.beta' },
  { flags: '--alpha <x>', text: "rdl: RCLL's exponent", path: 'rdl.alpha' },
  { flags: '--rdl-from <start>', text: 'rdl: where its encoders start', path: 'rdl.from' },
  { flags: '--hidden <n>', text: 'rdl: hidden channels of the head', path: 'rdl.hidden' },
  {
    flags: '--heads <kind>',
    text: 'rdl: one head for both modalities or one each',
    path: 'rdl.sharedHead',
    words: { shared: true, separate: false },
  },
  {
    flags: '--pseudo-labels <source>',
    text: 'rdl: labels from the trained heads or from clusters of pairs',
    path: 'rdl.pseudoLabels',
  },
];

/** What configurations may leave out. */
const OPTIONAL_ROWS: readonly Row[] = [
  {
    flags: '--image-weights <file>',
    text: "safetensors file: the image encoder starts from weights of torchvision's or timm's ResNet",
    path: 'weights.image',
  },
  {
    flags: '--point-weights <file>',
    text: 'safetensors file: the point encoder starts from weights of the official DGCNN',
    path: 'weights.points',
  },
  {
    flags: '--on-bad <what>',
    text: 'a bad object ends the run, or is skipped and listed in skipped.json (default: fail)',
    path: 'set.onBad',
  },
  { flags: '--views <n>', text: 'modelnet, voxels: rendered views per object (default: 1)', path: 'set.views' },
  { flags: '--up <axis>', text: 'folder: axis that points up in the 3D files (default: z)', path: 'set.up' },
  { flags: '--every <n>', text: 'rgbd: every n-th frame (default: 1)', path: 'set.everyFrame' },
  {
    flags: '--held-out <n>',
    text: 'rgbd: which instance of each class is held out (default: 1)',
    path: 'set.heldOutInstance',
  },
  {
    flags: '--image-channels <n>',
    text: "1 grey, 3 colour (default: what the set's pictures have)",
    path: 'set.channels',
  },
];

/** A run that goes on has the numbers of objects that it had. */
const EXACTLY = { train: false, test: false };

/** `--data` and its kin for a command; defaults are the preset's. */
export function trainCommand(): Command {
  const command = new Command('train')
    .description('Learns one embedding space for images and 3D point clouds, without labels (RoMo).')
    .usage('[options]')
    .addOption(new Option('--preset <name>', 'sizes and hyper-parameters').choices(PRESET_NAMES).default('small'))
    .option('--out <dir>', 'folder of the run', 'runs/latest')
    .option('--overwrite', 'replace a run that is in the folder')
    .option('--resume <dir>', 'go on with the run in that folder, from its last checkpoint')
    .addOption(
      new Option(
        '--checkpoint-every <steps>',
        'a checkpoint after so many steps; default: after a minute, and never for more than 2% of the time. There is ' +
          'always one at the end of an epoch',
      ).argParser(whole(1)),
    )
    .option('--device <name>', "part of the WebGPU adapter's name (node dist/doctor.js lists them)")
    .addOption(
      new Option('--memory <size>', 'GPU memory that tensors may take, such as 2GiB; default: all there is').argParser(
        byteCount,
      ),
    )
    .option('--check-finite', 'look at what every kernel writes; stop at the first NaN or infinity (slow)')
    .option('--quiet', 'no progress, only the table')
    .option('--inspect', 'train nothing: show what the data are, and draw some of them to --out')
    .helpOption('--help', 'show this')
    .addHelpText('after', "\nDefaults are the preset's; config.json in --out shows what was used.");
  for (const row of [...ROWS, ...OPTIONAL_ROWS]) command.addOption(optionOf(row));
  return addDataOptions(command);
}

function optionOf({ flags, text, path, words, parse }: Row): Option {
  const option = new Option(flags, text);
  const field = fieldAt(path);
  if (words) return option.choices(Object.keys(words));
  if (field.kind === 'choice') return option.choices(field.of.map(String));
  return option.argParser(parse ?? parserOf(field));
}

const fieldAt = (path: string): Field => FIELDS[path] ?? OPTIONAL_FIELDS[path];

/** Do fewer do? Yes where the user named no number. */
const upTo = (count: number | undefined): boolean => count === undefined || count === ALL;

/** Reads the arguments into a checked configuration. */
export function readTrainOptions(command: Command): TrainOptions {
  const given = command.opts();
  const resume = given.resume !== undefined;
  const asked: { flag: string; path: string; value: unknown }[] = [];
  for (const { flags, path, words } of [...ROWS, ...OPTIONAL_ROWS]) {
    const word = given[new Option(flags).attributeName()];
    if (word === undefined) continue;
    const field = fieldAt(path);
    const value = words?.[word] ?? (field.kind === 'choice' ? parserOf(field)(word) : word);
    asked.push({ flag: flags.split(' ')[0], path, value });
  }
  const config = structuredClone(PRESETS[given.preset as PresetName]);
  for (const { path, value } of asked) placeOf(config, path).set(value);
  if (given.augment === undefined) config.augment = defaultAugmentation(config.data);
  const weights = resume ? null : usePretrained(config, new Set(asked.map(({ path }) => path)));
  if (!resume) {
    checkConfig(config);
    if (config.data === 'shapes' && Math.max(config.train, config.test) === ALL) {
      throw new RomoError('option', 'the built-in shapes have no end: all of them cannot be made', 'Name a number.');
    }
  } else {
    const isOwn = (name: string) => command.getOptionValueSource(name) === 'cli';
    if (isOwn('preset')) asked.push({ flag: '--preset', path: 'preset', value: given.preset });
    if (given.overwrite) throw contradiction('--overwrite', 'which begins anew');
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
    device: given.device,
    memory: given.memory,
    checkFinite: given.checkFinite === true,
    inspect: given.inspect === true,
    weights,
    fewerWillDo,
    openData: (opened) => openRunData(opened, command, resume ? EXACTLY : fewerWillDo),
  };
}

/** A field of the configuration by its place, such as `ssm.epochs`; `set` is there only once a field of it is. */
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

/** Throws `option` where the command line asks for another run than the one that goes on. */
export function checkAgreement({ asked }: Pick<TrainOptions, 'asked'>, config: Config): void {
  for (const { flag, path, value } of asked) {
    const own = JSON.stringify(placeOf(config, path).get());
    if (JSON.stringify(value) !== own) throw contradiction(`${flag} ${JSON.stringify(value)}`, `the run has ${own}`);
  }
}

const contradiction = (what: string, why: string): RomoError =>
  new RomoError('option', `${what} contradicts --resume: ${why}`, 'Leave it out, or begin a new run.');

/** What every field of a configuration may be. The command line and stored configurations are held to it. */

export type Field =
  | { readonly kind: 'text' }
  | { readonly kind: 'choice'; readonly of: readonly (string | number | boolean)[] }
  | { readonly kind: 'whole' | 'real'; readonly low: number; readonly high: number }
  | { readonly kind: 'wholes'; readonly low: number; readonly high: number };

const text: Field = { kind: 'text' };
const oneOf = (...of: readonly (string | number | boolean)[]): Field => ({ kind: 'choice', of });
const ENDLESS = 2 ** 31 - 1; // limits from here on are not worth a word
const whole = (low: number, high = ENDLESS): Field => ({ kind: 'whole', low, high });
const real = (low: number, high = Number.MAX_VALUE): Field => ({ kind: 'real', low, high });

const WIDEST = 2 ** 14; // channels: far beyond any encoder
const COLDEST = 1e-6; // temperature by which is divided

const stage = (name: 'ssm' | 'rdl'): Record<string, Field> => ({
  [`${name}.epochs`]: whole(1),
  [`${name}.learningRate`]: real(0),
  [`${name}.weightDecay`]: real(0),
  [`${name}.tau`]: real(COLDEST),
  [`${name}.dimension`]: whole(1, WIDEST),
  [`${name}.k`]: whole(1),
});

/** By place, such as `ssm.epochs`. */
export const FIELDS: Readonly<Record<string, Field>> = {
  data: text,
  preset: oneOf('tiny', 'small', 'paper'),
  seed: whole(0, Number.MAX_SAFE_INTEGER),
  train: whole(1),
  test: whole(1),
  batch: whole(1),
  clusters: whole(1),
  imageSize: whole(8, 4096),
  points: whole(1, 2 ** 24),
  resnet: oneOf('small', 18, 34, 50, 101),
  resnetWidth: whole(1, WIDEST),
  pointEncoder: oneOf('dgcnn', 'pointnet'),
  pointWidths: { kind: 'wholes', low: 1, high: WIDEST },
  momentum: real(0, 1),
  headTemperature: real(COLDEST),
  augment: oneOf('mild', 'strong'),
  ...stage('ssm'),
  'ssm.lambda': real(0, 1),
  'ssm.target': oneOf('memory', 'soft', 'joint', 'balanced'),
  'ssm.memoryMomentum': real(0, 1),
  ...stage('rdl'),
  'rdl.beta': real(0, 1),
  'rdl.alpha': real(0),
  'rdl.from': oneOf('fresh', 'warm'),
  'rdl.sharedHead': oneOf(true, false),
  'rdl.hidden': whole(1, WIDEST),
  'rdl.pseudoLabels': oneOf('heads', 'pairs'),
};

/** Fields that a configuration may leave out. */
export const OPTIONAL_FIELDS: Readonly<Record<string, Field>> = {
  imageNormalization: oneOf('imagenet'),
  'rdl.loss': oneOf('rcll', 'cross-entropy'),
  'weights.image': text,
  'weights.imageSha256': text,
  'weights.points': text,
  'weights.pointsSha256': text,
  'set.onBad': oneOf('fail', 'skip'),
  'set.channels': oneOf(1, 3),
  'set.views': whole(1),
  'set.up': oneOf('x', 'y', 'z'),
  'set.everyFrame': whole(1),
  'set.heldOutInstance': whole(1),
};

/** What a field may be, in words. */
export function describe(field: Field): string {
  if (field.kind === 'text') return 'text';
  if (field.kind === 'choice') return `one of ${field.of.join(', ')}`;
  const { low, high } = field;
  const range = high < ENDLESS ? `${low} to ${high}` : `${low} on`;
  if (field.kind === 'wholes') return `a list of whole numbers from ${range}`;
  return field.kind === 'whole' ? `a whole number from ${range}` : `a number from ${range}`;
}

/** Is the value one that the field may have? */
export function isValid(field: Field, value: unknown): boolean {
  if (field.kind === 'text') return typeof value === 'string';
  if (field.kind === 'choice') return field.of.includes(value as string);
  const fits = (number: unknown, isKind: (number: unknown) => boolean) =>
    isKind(number) && (number as number) >= field.low && (number as number) <= field.high;
  if (field.kind === 'real') return fits(value, Number.isFinite);
  if (field.kind === 'whole') return fits(value, Number.isSafeInteger);
  return Array.isArray(value) && value.length > 0 && value.every((one) => fits(one, Number.isSafeInteger));
}

/** What is wrong with the fields of a stored configuration; empty where all is well. */
export function faultsOf(config: unknown): string[] {
  const valueAt = (path: string): unknown =>
    path.split('.').reduce<unknown>((holder, name) => Object(holder)[name], config);
  return Object.entries({ ...FIELDS, ...OPTIONAL_FIELDS }).flatMap(([path, field]) => {
    const value = valueAt(path);
    if (value === undefined) return path in FIELDS ? [`lacks ${path}`] : [];
    if (isValid(field, value)) return [];
    return [`${path} is ${JSON.stringify(value).slice(0, 60)}, not ${describe(field)}`];
  });
}

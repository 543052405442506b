/**
 * Tables of fields: what each may be, said once. The type of a configuration, the options of the command line, the check of a
 * stored configuration and the check of the data's options come from them.
 */

export type Field = (
  | { readonly kind: 'text' }
  | { readonly kind: 'choice'; readonly of: readonly (string | number | boolean)[] }
  | { readonly kind: 'whole' | 'real' | 'wholes'; readonly low: number; readonly high: number }
) & { readonly optional?: boolean };

export type Fields = Readonly<Record<string, Field>>;

type Value<F> = F extends { kind: 'text' }
  ? string
  : F extends { kind: 'choice'; of: readonly (infer One)[] }
    ? One
    : F extends { kind: 'wholes' }
      ? number[]
      : number;

/** What an object has that is made of such fields. */
export type Values<F> = {
  -readonly [K in keyof F as F[K] extends { optional: true } ? never : K]: Value<F[K]>;
} & {
  -readonly [K in keyof F as F[K] extends { optional: true } ? K : never]?: Value<F[K]>;
};

const ENDLESS = 2 ** 31 - 1; // a limit from here on is left out of messages

export const text = { kind: 'text' } as const;
export const oneOf = <const V extends readonly (string | number | boolean)[]>(...of: V) =>
  ({ kind: 'choice', of }) as const;
export const whole = (low: number, high = ENDLESS) => ({ kind: 'whole', low, high }) as const;
export const wholes = (low: number, high = ENDLESS) => ({ kind: 'wholes', low, high }) as const;
export const real = (low: number, high = Number.MAX_VALUE) => ({ kind: 'real', low, high }) as const;
export const optional = <F extends Field>(field: F) => ({ ...field, optional: true }) as const;

/** How much of a data set is opened, and in which sizes. */
export const DATA_FIELDS = {
  /** Objects to train on. */
  train: whole(1),
  /** Objects held out for the figures. */
  test: whole(1),
  /** Of everything random. */
  seed: whole(0, Number.MAX_SAFE_INTEGER),
  /** Height and width of the images in pixels. */
  imageSize: whole(8, 4096),
  /** Points that a network takes per cloud; a data set keeps more of them per object where it has them. */
  points: whole(1, 2 ** 24),
};

/** How a data set is read that leaves a choice. */
export const SET_FIELDS = {
  /** A bad object is an error, which is the default, or is left out. */
  onBad: optional(oneOf('fail', 'skip')),
  /** Channels of the images; default 1 or 3, whichever the set's own pictures have. */
  channels: optional(oneOf(1, 3)),
  /** Meshes and voxels: rendered views per object, one of them shown at a time. Default 1. */
  views: optional(whole(1)),
  /** Folders: the axis that points up in the 3D files. Default z. */
  up: optional(oneOf('x', 'y', 'z')),
  /** RGB-D Object: every n-th frame is taken. Default 1. */
  everyFrame: optional(whole(1)),
  /** RGB-D Object: which instance of each class is held out, counted from 1. Default 1. */
  heldOutInstance: optional(whole(1)),
};

/** More objects than any data set has, for `train` and `test`: as many as there are. */
export const ALL = 10_000_000;

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

/** What is wrong with the values of some fields; empty where all is well. */
export function faultsOf(fields: Fields, read: (name: string) => unknown): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const value = read(name);
    if (value === undefined) return field.optional ? [] : [`lacks ${name}`];
    if (isValid(field, value)) return [];
    const isPlain = typeof value !== 'object' && typeof value !== 'string'; // JSON has no NaN
    const shown = isPlain ? String(value) : JSON.stringify(value);
    return [`${name} is ${shown.slice(0, 60)}, not ${describe(field)}`];
  });
}

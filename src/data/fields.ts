/**
 * Tables of fields with the valid values of each. They are the single source for the type of a configuration, the
 * command-line options, and the checks of stored configurations and data options.
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

/** The type of an object with these fields. */
export type Values<F> = {
  -readonly [K in keyof F as F[K] extends { optional: true } ? never : K]: Value<F[K]>;
} & {
  -readonly [K in keyof F as F[K] extends { optional: true } ? K : never]?: Value<F[K]>;
};

const ENDLESS = 2 ** 31 - 1; // messages omit limits from here up

export const text = { kind: 'text' } as const;
export const oneOf = <const V extends readonly (string | number | boolean)[]>(...of: V) =>
  ({ kind: 'choice', of }) as const;
export const whole = (low: number, high = ENDLESS) => ({ kind: 'whole', low, high }) as const;
export const wholes = (low: number, high = ENDLESS) => ({ kind: 'wholes', low, high }) as const;
export const real = (low: number, high = Number.MAX_VALUE) => ({ kind: 'real', low, high }) as const;
export const optional = <F extends Field>(field: F) => ({ ...field, optional: true }) as const;

/** Sizes of a data set: objects, image size, points. */
export const DATA_FIELDS = {
  /** Number of training objects. */
  train: whole(1),
  /** Number of test objects, held out for the metrics. */
  test: whole(1),
  /** Seed of everything random. */
  seed: whole(0, Number.MAX_SAFE_INTEGER),
  /** Height and width of the images in pixels. */
  imageSize: whole(8, 4096),
  /** Points per cloud that a network takes. A data set keeps more per object if available. */
  points: whole(1, 2 ** 24),
};

/** Choices in reading data sets. */
export const SET_FIELDS = {
  /** What a bad object does: `fail` (default) is an error, `skip` leaves the object out. */
  onBad: optional(oneOf('fail', 'skip')),
  /** Channels of the images. Default: as many as the set's own pictures have, 1 or 3. */
  channels: optional(oneOf(1, 3)),
  /** Meshes and voxels: rendered views per object; each use shows one. Default 1. */
  views: optional(whole(1)),
  /** The axis that points up in the 3D files, which are turned so that z does. Default z; GLB always has y. */
  up: optional(oneOf('x', 'y', 'z')),
  /** RGB-D Object: take every n-th frame. Default 1. */
  everyFrame: optional(whole(1)),
  /** RGB-D Object: the instance of each class to hold out, counted from 1. Default 1. */
  heldOutInstance: optional(whole(1)),
};

/** How a run prepares pictures, stored with it so that every other set is prepared alike. No option changes it. */
export const PREPARED_FIELDS = {
  /** Grey value behind pictures, 0..1. Default: as in the set's own pictures, 0 or 1. */
  background: optional(real(0, 1)),
};

/**
 * Background of a set's own pictures: photographs and drawings are on white, digits and rendered shapes on black.
 * @param spec as in `--data`
 */
export const backgroundOf = (spec: string): number => (/^(folder|rgbd)(:|$)/.test(spec) ? 1 : 0);

/** Value of `train` and `test` for all objects: more than any data set has. */
export const ALL = 10_000_000;

/** The valid values of a field, in words. */
export function describe(field: Field): string {
  if (field.kind === 'text') return 'text';
  if (field.kind === 'choice') return `one of ${field.of.join(', ')}`;
  const { low, high } = field;
  const range = high < ENDLESS ? `from ${low} to ${high}` : `of at least ${low}`;
  if (field.kind === 'wholes') return `a list of whole numbers ${range}`;
  return field.kind === 'whole' ? `a whole number ${range}` : `a number ${range}`;
}

/** Is the value valid for the field? */
export function isValid(field: Field, value: unknown): boolean {
  if (field.kind === 'text') return typeof value === 'string';
  if (field.kind === 'choice') return field.of.includes(value as string);
  const fits = (number: unknown, isKind: (number: unknown) => boolean) =>
    isKind(number) && (number as number) >= field.low && (number as number) <= field.high;
  if (field.kind === 'real') return fits(value, Number.isFinite);
  if (field.kind === 'whole') return fits(value, Number.isSafeInteger);
  return Array.isArray(value) && value.length > 0 && value.every((one) => fits(one, Number.isSafeInteger));
}

/** The problems with the values of some fields; empty if all are valid. */
export function faultsOf(fields: Fields, read: (name: string) => unknown): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const value = read(name);
    if (value === undefined) return field.optional ? [] : [`${name} is missing`];
    if (isValid(field, value)) return [];
    const isPlain = typeof value !== 'object' && typeof value !== 'string'; // JSON has no NaN
    const shown = isPlain ? String(value) : JSON.stringify(value);
    return [`${name} is ${shown.slice(0, 60)}, not ${describe(field)}`];
  });
}

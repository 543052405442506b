/** Parses the values of command-line options. */
import { InvalidArgumentError } from 'commander';
import { ALL, DATA_FIELDS, describe, type Field, isValid } from '../data/fields.ts';

/** Reads a value of the field. Elements of lists are separated by commas. */
export function parserOf(field: Field): (text: string) => unknown {
  return (text) => {
    const number = (word: string) => (word.trim() === '' ? Number.NaN : Number(word));
    let value: unknown = text;
    if (field.kind === 'choice') value = field.of.find((one) => String(one) === text);
    else if (field.kind === 'wholes') value = text.split(',').map(number);
    else if (field.kind !== 'text') value = number(text);
    if (!isValid(field, value)) throw new InvalidArgumentError(`It must be ${describe(field)}.`);
    return value;
  };
}

/** A parser for whole numbers of at least `low`. */
export function whole(low: number): (text: string) => number {
  return parserOf({ kind: 'whole', low, high: Number.MAX_SAFE_INTEGER }) as (text: string) => number;
}

/** A number of objects, or `all`. */
export const countOrAll = (text: string): unknown => (text === 'all' ? ALL : parserOf(DATA_FIELDS.train)(text));

const UNITS: Record<string, number> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** Bytes, such as 500000, 64MiB or 2g. */
export function byteCount(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  if (number === undefined) throw new InvalidArgumentError('It must be a size, such as 512MiB or 2GiB.');
  return Math.floor(Number(number) * UNITS[unit.toLowerCase()]);
}

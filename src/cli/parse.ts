/** How the words of a command line become numbers. */
import { InvalidArgumentError } from 'commander';

/** A whole number from `low` on. */
export function whole(low: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < low) {
      throw new InvalidArgumentError(`A whole number from ${low} is needed.`);
    }
    return value;
  };
}

/** More than any data set has: as many as there are. */
export const ALL = 10_000_000;

/** A whole number from 1 on, or `all`. */
export const countOrAll = (text: string): number => (text === 'all' ? ALL : whole(1)(text));

/** Any number within the bounds. */
export function real(low: number, high = Number.POSITIVE_INFINITY): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < low || value > high) {
      throw new InvalidArgumentError(
        `A number from ${low}${high < Number.POSITIVE_INFINITY ? ` to ${high}` : ''} is needed.`,
      );
    }
    return value;
  };
}

/** Whole numbers from 1 on, between commas. */
export function wholes(text: string): number[] {
  return text.split(',').map(whole(1));
}

const UNITS: Record<string, number> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** Bytes, such as 500000, 64MiB or 2g. */
export function byteCount(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  if (number === undefined) throw new InvalidArgumentError('A size is needed, such as 512MiB or 2GiB.');
  return Math.floor(Number(number) * UNITS[unit.toLowerCase()]);
}

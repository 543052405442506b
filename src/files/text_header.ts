/** The text header before the data of a PLY or PCD file. */
import { badFile, quoted } from './errors.ts';

const MOST_LINES = 1000;
const LONGEST_LINE = 4096;

export interface TextHeader {
  /** Its lines, split into words, without empty lines. */
  readonly lines: string[][];
  /** Offset of the data in bytes. */
  readonly end: number;
}

/** @param isLast true for the line that ends the header */
export function readTextHeader(
  bytes: Uint8Array,
  name: string,
  isLast: (words: readonly string[]) => boolean,
): TextHeader {
  const lines: string[][] = [];
  // If lines end with a carriage return alone, a newline after the last one is data. The first line decides.
  const first = bytes.findIndex((byte) => byte === 10 || byte === 13);
  const ending = bytes[first] === 13 && bytes[first + 1] !== 10 ? 13 : 10;
  let position = 0;
  for (let count = 0; count < MOST_LINES; count++) {
    const end = bytes.indexOf(ending, position);
    if (end < 0 || end - position > LONGEST_LINE) break;
    const text = String.fromCharCode(...bytes.subarray(position, end));
    position = end + 1;
    const words = text.trim().split(/\s+/);
    if (words[0] !== '') lines.push(words);
    if (isLast(words)) return { lines, end: position };
  }
  throw badFile(name, 'its header has no end');
}

/** An integer in a header. */
export function headerCount(word: string | undefined, what: string, name: string): number {
  const value = word !== undefined && /^\d{1,10}$/.test(word) ? Number(word) : Number.NaN;
  if (!(value <= 0xffffffff)) throw badFile(name, `its header gives ${quoted(word ?? '')} as ${what}`);
  return value;
}

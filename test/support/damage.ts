/**
 * Damaged files, made from valid ones: bytes changed, cut off, moved, numbers replaced. A reader must quickly return a
 * valid object or throw a RomoError. `ROMO_FUZZ=100000` sets the number of files per format.
 */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { RomoError } from '../../src/tensor/error.ts';

/** files per format that ROMO_FUZZ asks for; 0: the number in the test */
export const asked = Number(process.env.ROMO_FUZZ ?? 0);
/** CPU time per file, which other programs do not lengthen as they do the time on the wall; a kilobyte takes less than 1 ms. */
const MILLISECONDS = 3000;

export type Edit = (bytes: Buffer) => Buffer;

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const at = (bytes: Buffer, where: number) => Math.floor(where * bytes.length);
const spliced = (bytes: Buffer, begin: number, end: number, insert: Uint8Array) =>
  Buffer.concat([bytes.subarray(0, begin), insert, bytes.subarray(end)]);

const words = [
  'nan',
  'inf',
  '-1',
  '0',
  '4294967295',
  '99999999999',
  '1e400',
  '2147483647',
  '1e-400',
  '-',
  '\n',
  '\0',
  '#',
  ' ',
  '{',
  '[',
  '"',
];
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(place, fc.nat(255)).map(
    ([where, value]): Edit =>
      (bytes) => {
        if (bytes.length > 0) bytes[at(bytes, where)] = value;
        return bytes;
      },
  ),
  fc.tuple(place, fc.nat(7)).map(
    ([where, bit]): Edit =>
      (bytes) => {
        if (bytes.length > 0) bytes[at(bytes, where)] ^= 1 << bit;
        return bytes;
      },
  ),
  place.map(
    (where): Edit =>
      (bytes) =>
        bytes.subarray(0, at(bytes, where)),
  ),
  fc.tuple(place, place, place).map(
    ([from, to, where]): Edit =>
      (bytes) => {
        const [begin, end] = [at(bytes, Math.min(from, to)), at(bytes, Math.max(from, to))];
        const target = at(bytes, where);
        return spliced(bytes, target, target, bytes.subarray(begin, end));
      },
  ),
  fc.tuple(place, place).map(
    ([from, to]): Edit =>
      (bytes) =>
        spliced(bytes, at(bytes, Math.min(from, to)), at(bytes, Math.max(from, to)), new Uint8Array(0)),
  ),
  fc.tuple(place, fc.constantFrom(...words)).map(
    ([where, word]): Edit =>
      (bytes) =>
        spliced(bytes, at(bytes, where), at(bytes, where), Buffer.from(word)),
  ),
  // Replaces the next number in text: a count, a coordinate, an index, a length in JSON.
  fc.tuple(place, fc.constantFrom(...words)).map(
    ([where, word]): Edit =>
      (bytes) => {
        let begin = at(bytes, where);
        while (begin < bytes.length && !isDigit(bytes[begin])) begin++;
        let end = begin;
        while (end < bytes.length && isDigit(bytes[end])) end++;
        return spliced(bytes, begin, end, Buffer.from(word));
      },
  ),
  // Overwrites four bytes with a large count.
  fc.tuple(place, fc.constantFrom(0xffffffff, 0x7fffffff, 0x10000000, 0)).map(
    ([where, value]): Edit =>
      (bytes) => {
        const begin = at(bytes, where);
        if (begin + 4 <= bytes.length) bytes.writeUInt32LE(value, begin);
        return bytes;
      },
  ),
);
/** A few edits, one after another. */
export const edits = fc.array(edit, { minLength: 1, maxLength: 4 });

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** A damaged copy of the file. */
export const damaged = (original: Uint8Array, changes: readonly Edit[]): Buffer =>
  changes.reduce<Buffer>((changed, change) => change(changed), Buffer.from(original));

/** Copies with one number in text replaced: each number by each word. */
export function* numbersReplaced(original: Uint8Array): Generator<Buffer> {
  const bytes = Buffer.from(original);
  for (let begin = 0; begin < bytes.length; begin++) {
    let end = begin;
    while (end < bytes.length && isDigit(bytes[end])) end++;
    for (const word of end > begin ? words : []) yield spliced(bytes, begin, end, Buffer.from(word));
    begin = end;
  }
}

type Read = (bytes: Uint8Array) => Promise<void> | void;

/** Fails unless a reader accepts a damaged file or refuses it with one of the codes, in fewer than MILLISECONDS of CPU time. */
export async function survives(bytes: Uint8Array, read: Read, codes: readonly string[] = ['file']): Promise<void> {
  const begin = process.cpuUsage();
  try {
    await read(bytes);
  } catch (error) {
    if (!(error instanceof RomoError)) throw error;
    assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
  }
  const { user, system } = process.cpuUsage(begin);
  const took = (user + system) / 1000;
  assert.ok(took < MILLISECONDS, `${bytes.length} bytes took ${took} ms of CPU time`);
}

/** Damages the file in many ways, and checks that it `survives` each. */
export async function attack(original: Uint8Array, runs: number, read: Read, codes?: readonly string[]): Promise<void> {
  await fc.assert(
    fc.asyncProperty(edits, (changes) => survives(damaged(original, changes), read, codes)),
    { numRuns: asked || runs },
  );
}

/** Runs `read`, and fails if its arrays take more memory than a multiple of the file's size plus 1 MiB. */
export async function withinMemory(
  bytes: Uint8Array,
  multiple: number,
  read: () => Promise<void> | void,
): Promise<void> {
  const before = process.memoryUsage().arrayBuffers;
  try {
    await read();
  } finally {
    const taken = process.memoryUsage().arrayBuffers - before;
    assert.ok(taken <= multiple * bytes.length + 2 ** 20, `${bytes.length} bytes took ${taken} bytes of memory`);
  }
}

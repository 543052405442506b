/** Checks on vectors that are stored in a gallery or searched for. */
import { RomoError } from '../tensor/error.ts';
import type { Entry, Modality } from './gallery.ts';

/** How far a length may be from 1: rounding of f32 and f16. */
const TOLERANCE = 1e-2;

/** Identifies an entry of a gallery. The length keeps the two names apart. */
export const keyOf = (modality: Modality, id: string, source = ''): string =>
  `${modality} ${source.length} ${source}${id}`;

/**
 * Checks that a gallery can store the entries.
 * @throws RomoError `shape`, `not-finite`, `not-unit` for a vector; `gallery` if two entries share source, id and modality
 */
export function checkEntries(entries: readonly Entry[], dimension: number): void {
  const seen = new Set<string>();
  for (const { id, modality, source = '', vector } of entries) {
    const name = `the ${modality} of ${JSON.stringify(id)}`;
    if (vector.length !== dimension) throw wrongSize(name, vector.length, dimension);
    checkVectors(name, vector, dimension);
    const key = keyOf(modality, id, source);
    if (seen.has(key)) throw new RomoError('gallery', `${name} is given twice in one call`, 'Pass each entry once.');
    seen.add(key);
  }
}

/** Checks that all rows [n, dimension] have unit length. @throws RomoError `shape`, `not-finite`, `not-unit` */
export function checkVectors(name: string, rows: Float32Array, dimension: number): void {
  if (rows.length === 0 || rows.length % dimension !== 0) throw wrongSize(name, rows.length, dimension);
  for (let start = 0; start < rows.length; start += dimension) {
    let sum = 0;
    for (let i = start; i < start + dimension; i++) sum += rows[i] * rows[i];
    if (!Number.isFinite(sum)) {
      const at = rows.findIndex((value, i) => i >= start && !Number.isFinite(value));
      const what = at < 0 ? 'too large' : `${rows[at]} at ${at - start}`;
      throw new RomoError('not-finite', `gallery: the vector of ${name} is ${what}`, 'Embed it again.');
    }
    if (Math.abs(Math.sqrt(sum) - 1) > TOLERANCE) {
      const length = Math.sqrt(sum).toPrecision(4);
      throw new RomoError(
        'not-unit',
        `gallery: the vector of ${name} has length ${length}`,
        'Divide it by its length.',
      );
    }
  }
}

/** The first of rows [n, dimension] that does not have unit length; -1 if all have it. NaN has no length. */
export function findNotUnit(rows: Float32Array, dimension: number): number {
  const [least, most] = [(1 - TOLERANCE) ** 2, (1 + TOLERANCE) ** 2];
  for (let start = 0; start < rows.length; start += dimension) {
    let sum = 0;
    for (let i = start; i < start + dimension; i++) sum += rows[i] * rows[i];
    if (!(sum >= least && sum <= most)) return start / dimension;
  }
  return -1;
}

function wrongSize(name: string, length: number, dimension: number): RomoError {
  return new RomoError(
    'shape',
    `gallery: the vector of ${name} has ${length} numbers, the gallery's have ${dimension}`,
    'Embed with the model that made the gallery.',
  );
}

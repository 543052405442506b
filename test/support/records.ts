/**
 * The worst errors in the tests of a process, by op, for the table of `npm run test:gradients`. They are written when
 * the process ends, into the folder that ROMO_GRADIENT_RECORDS names; without it nothing is written.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The comparison: values with the reference, gradients with its central differences, <A x, y> with <x, A^T y>. */
export type Check = 'forward' | 'gradient' | 'adjoint';

export interface Entry {
  cases: number;
  worst: number;
  bound: number;
}

const records = new Map<string, Partial<Record<Check, Entry>>>();
const folder = process.env.ROMO_GRADIENT_RECORDS;

/**
 * @param name of the case; its first word is the op
 * @param error in the units of `bound`, which it must not exceed
 */
export function recordError(name: string, check: Check, error: number, bound: number): void {
  const op = name.split(/[ ,]/)[0];
  const row = records.get(op) ?? {};
  const entry = row[check] ?? { cases: 0, worst: 0, bound: 0 };
  row[check] = { cases: entry.cases + 1, worst: Math.max(entry.worst, error), bound: Math.max(entry.bound, bound) };
  records.set(op, row);
}

if (folder) {
  process.on('exit', () => writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify([...records])));
}

/**
 * Compares outputs between implementations by digests: large enough to reveal a wrong output, small enough to print.
 */
import { fmix32 } from './inputs.mjs';

const SAMPLES = 64;

/**
 * Root mean square of all values, and elements at fixed places. Canonical layout: channels last, weights as in PyTorch.
 */
export function digest(values) {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i] * values[i];
  const elements = Array.from({ length: SAMPLES }, (_, i) => values[fmix32(i + 1) % values.length]);
  return { rms: Math.sqrt(squares / values.length), elements };
}

/** Sorted neighbours of some rows, since near ties may come in any order. */
export function sampleRows(indices, k) {
  const rows = indices.length / k;
  return Array.from({ length: SAMPLES }, (_, i) => {
    const row = fmix32(i + 1) % rows;
    return Array.from(indices.subarray(row * k, (row + 1) * k), Number).sort((a, b) => a - b);
  });
}

/** The largest deviation between two checks, as a multiple of the tolerance: above 1 is a mismatch. */
export function deviation(ours, theirs, tolerances) {
  if (!ours || !theirs) return null;
  if (ours.losses) {
    const { losses } = tolerances;
    return Math.max(...losses.map((allowed, i) => off(theirs.losses[i] - ours.losses[i], ours.losses[i] * allowed)));
  }
  if (ours.rows) {
    let differing = 0;
    ours.rows.forEach((row, i) => {
      const other = new Set(theirs.rows[i]);
      differing += row.filter((index) => !other.has(index)).length;
    });
    return differing / ours.rows.length / ours.rows[0].length / tolerances.rows;
  }
  let worst = 0;
  for (const [name, { rms, elements }] of Object.entries(ours.values)) {
    const other = theirs.values[name];
    if (!other) return Number.POSITIVE_INFINITY;
    const allowed = tolerances.values * rms;
    worst = Math.max(worst, off(other.rms - rms, allowed));
    elements.forEach((value, i) => {
      worst = Math.max(worst, off(other.elements[i] - value, allowed));
    });
  }
  return worst;
}

/** The deviation as a multiple of the tolerance; NaN counts as a mismatch. */
function off(difference, allowed) {
  const share = Math.abs(difference) / Math.abs(allowed);
  return Number.isFinite(share) ? share : Number.POSITIVE_INFINITY;
}

/** One number of a check, for the table. */
export function checkNumber(check) {
  if (!check) return '';
  if (check.losses) return check.losses[0].toPrecision(6);
  if (check.rows) return `${check.rows[0][0]},${check.rows[0][1]},..`;
  return Object.values(check.values)[0].elements[0].toPrecision(5);
}

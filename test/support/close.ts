/** Comparison of arrays within a tolerance; the message names the worst element. */
import * as assert from 'uvu/assert';
import { recordError } from './records.ts';

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** Fails unless |actual - expected| <= atol + rtol |expected| for every element. NaN is never close. */
export function assertClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { rtol, atol }: Tolerance,
): void {
  assert.is(actual.length, expected.length, `${what}: ${actual.length} values instead of ${expected.length}`);
  let worst = 0;
  let worstAt = -1;
  let outside = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    const allowed = atol + rtol * Math.abs(expected[i]);
    if (difference <= allowed) continue;
    const excess = difference / allowed;
    outside += 1;
    if (worstAt < 0 || excess > worst || Number.isNaN(excess)) {
      worst = excess;
      worstAt = i;
    }
  }
  if (worstAt < 0) return;
  assert.unreachable(
    `${what}: ${outside} of ${actual.length} values are off; element ${worstAt} is ${actual[worstAt]}, expected ` +
      `${expected[worstAt]}: ${worst.toPrecision(3)} times the tolerance (rtol ${rtol}, atol ${atol})`,
  );
}

/** For whole numbers, and for bits that must be equal. */
export const EXACTLY: Tolerance = { rtol: 0, atol: 0 };

/**
 * `assertClose` for the values of an op, which the first word of `what` names. It records the worst error, the largest
 * |actual - expected| / (|expected| + atol / rtol), which is at most rtol if all values are close.
 */
export function assertValues(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
): void {
  const { rtol, atol } = tolerance;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (difference !== 0)
      worst = Math.max(worst, rtol > 0 ? difference / (Math.abs(expected[i]) + atol / rtol) : difference);
  }
  recordError(what, 'forward', worst, rtol);
  assertClose(what, actual, expected, tolerance);
}

/** The timing loop of all JavaScript implementations; peers/pytorch.py has the same. */
import { readFileSync } from 'node:fs';

const WARM_UPS = 2;
const AT_LEAST = 7;
const AT_MOST = 50;
const ENOUGH_MS = 1500; // short workloads run more often

/**
 * @param run one run; resolves once one element of its result has been read
 * @returns the time of the first run and those of the timed runs, in ms
 */
export async function measure(run, seconds) {
  const times = [];
  const begin = performance.now();
  let first = 0;
  for (let i = 0; i < WARM_UPS + AT_MOST; i++) {
    const start = performance.now();
    await run();
    const end = performance.now();
    if (i === 0) first = end - start;
    if (i >= WARM_UPS) times.push(end - start);
    const spent = end - begin;
    // Always at least one timed run, however slow; three if they fit into twice the time.
    if (times.length >= 1 && spent > 2000 * seconds) break;
    if (times.length >= 3 && spent > 1000 * seconds) break;
    if (times.length >= AT_LEAST && spent - first > ENOUGH_MS) break;
  }
  return { first, times };
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * CPU time of the JavaScript thread so far, in ms, without the driver's threads. Linux updates the count when a thread
 * goes to sleep, so this sleeps for 1 ms. Elsewhere: wall-clock time.
 */
export function hostMs() {
  try {
    Atomics.wait(pause, 0, 0, 1);
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

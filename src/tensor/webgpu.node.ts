/** WebGPU in Node: Dawn, through the `webgpu` package. The browser's counterpart is webgpu.browser.ts. */
import { totalmem } from 'node:os';
import { create } from 'webgpu';

/**
 * The WebGPU entry point.
 * @param adapterName part of the adapter's name, as Dawn's `adapter` option takes it; any adapter when absent
 */
export function entry(adapterName?: string): GPU {
  return create(adapterName ? [`adapter=${adapterName}`] : []);
}

/** Does `entry` give only adapters of that name? Dawn compares with a longer name than it shows. */
export const selectsByName = true;

/** Bytes that all buffers may take, and that freed ones may keep: at most a quarter of the machine's memory. */
export const memoryDefaults = () => ({ most: Number.POSITIVE_INFINITY, pool: Math.min(2 ** 32, totalmem() / 4) });

const never = new Int32Array(new SharedArrayBuffer(4));
let waits = 0;
let since = 0; // when the present waiting began
let napping = false;
let lastNap = 0;

/**
 * Awaits a device event. Dawn polls its driver on every turn of Node's event loop, which keeps a core busy that a
 * software adapter needs; so an idle turn sleeps for 1/50 of the wait so far, at most 1 ms.
 */
export async function whenDone<T>(event: Promise<T>): Promise<T> {
  if (waits++ === 0) since = performance.now();
  if (!napping) setImmediate(nap);
  napping = true;
  try {
    return await event;
  } finally {
    waits--;
    since = performance.now();
  }
}

const BUSY_MS = 0.3; // a turn this long did other work, which must not be delayed

function nap(): void {
  napping = waits > 0;
  if (!napping) return;
  const now = performance.now();
  if (now - lastNap < BUSY_MS) Atomics.wait(never, 0, 0, Math.min(1, (now - since) / 50));
  lastNap = performance.now();
  setImmediate(nap);
}

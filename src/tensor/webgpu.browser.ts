/** WebGPU in browsers and in Deno: `navigator.gpu`. Node's counterpart is webgpu.node.ts. */

/** The WebGPU entry point, or undefined where there is none. */
export function entry(_adapterName?: string): GPU | undefined {
  return navigator.gpu;
}

/** Browsers and Deno choose the adapter themselves. */
export const selectsByName = false;

const GIB = 2 ** 30;

/**
 * Bytes that all buffers may take, and that freed ones may keep, by the kind of machine. A phone ends a page at about 1.5
 * GiB. Other machines say how much memory they have, in GiB and at most 8, or nothing.
 */
export function memoryDefaults(machine: Navigator & { deviceMemory?: number } = navigator) {
  const { userAgent, maxTouchPoints, deviceMemory = 8 } = machine;
  const isPhone = /Android|iPhone|iPad|Mobile/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);
  return isPhone ? { most: GIB, pool: GIB / 4 } : { most: Number.POSITIVE_INFINITY, pool: (deviceMemory * GIB) / 4 };
}

/** Awaits a device event; browsers and Deno resolve it without polling. */
export const whenDone = <T>(event: Promise<T>): Promise<T> => event;

/** WebGPU in browsers and in Deno: `navigator.gpu`. Node's counterpart is webgpu.node.ts. */

/** The WebGPU entry point, or undefined where there is none. */
export function entry(_adapterName?: string): GPU | undefined {
  return navigator.gpu;
}

/** Browsers and Deno choose the adapter themselves. */
export const selectsByName = false;

/** Awaits a device event; browsers and Deno resolve it without polling. */
export const whenDone = <T>(event: Promise<T>): Promise<T> => event;

/** WebGPU in the browser: `navigator.gpu`. Node's counterpart is webgpu.node.ts. */

/** The WebGPU entry point, or undefined where the browser has none; a browser chooses the adapter itself. */
export function entry(_adapterName?: string): GPU | undefined {
  return navigator.gpu;
}

/** Awaits a device event; browsers resolve it without polling. */
export const whenDone = <T>(event: Promise<T>): Promise<T> => event;

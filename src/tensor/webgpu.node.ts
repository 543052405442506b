/** WebGPU in Node: Dawn, through the `webgpu` package. The browser's counterpart is webgpu.browser.ts. */
import { create } from 'webgpu';

/**
 * The WebGPU entry point.
 * @param adapterName part of the adapter's name, as Dawn's `adapter` option takes it; any adapter when absent
 */
export function entry(adapterName?: string): GPU {
  return create(adapterName ? [`adapter=${adapterName}`] : []);
}

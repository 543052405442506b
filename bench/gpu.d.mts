/** Types of gpu.mjs. */
export interface BufferCounters {
  /** buffers ever created, and their bytes */
  created: number;
  createdBytes: number;
  liveBytes: number;
  peakBytes: number;
}
export declare function countBuffers(device: GPUDevice): BufferCounters;

/** Types of gpu.mjs. */
export interface BufferCounters {
  /** number of buffers created so far */
  created: number;
  createdBytes: number;
  liveBytes: number;
  peakBytes: number;
  /** bind groups ever created */
  groups: number;
}
export declare function countBuffers(device: GPUDevice): BufferCounters;
export declare function countBusy(device: GPUDevice): { busyMs(): number };

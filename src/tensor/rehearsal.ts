/** Work that is queued into buffers that are only counted: what would it take? */
import { Budget } from './budget.ts';
import type { Gpu } from './device.ts';
import { Pool } from './memory.ts';

/**
 * Runs `work`; what it queues is forgotten, and its tensors have no memory.
 * @param limit bytes that its tensors may take together
 * @returns bytes that its buffers take together, freed ones included
 * @throws RomoError `memory` where a tensor is over the GPU's limits, or all of them over `limit`
 */
export function rehearse(gpu: Gpu, limit: number, work: () => void): number {
  const { pool } = gpu;
  const budget = new Budget(limit);
  gpu.pool = new Pool((size) => ({ size }) as GPUBuffer, gpu.device.limits.maxBufferSize, budget, Infinity);
  try {
    gpu.queue.capture(work, false);
    return budget.used;
  } finally {
    gpu.pool = pool;
  }
}

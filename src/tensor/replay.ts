/**
 * Step replay: a step of fixed shapes is recorded once and then run many times. Its tensors come from a pool of its
 * own, in which a freed buffer is reused by the next tensor while the step is recorded; a run allocates nothing and
 * builds no bind group.
 */

import type { Gpu } from './device.ts';
import { RomoError } from './error.ts';
import { type MemoryCounters, type Pool, USAGE } from './memory.ts';
import { type PreparedLaunch, prepare, uniformBytes } from './queue.ts';

/** A recorded step of fixed shapes, which runs again without allocating anything. */
export class Replay {
  private constructor(
    private readonly gpu: Gpu,
    /** kernels, and buffers that are cleared, in order */
    readonly launches: readonly (PreparedLaunch | GPUBuffer)[],
    private readonly pool: Pool,
    private readonly uniforms: GPUBuffer,
  ) {}

  /**
   * Records what `body` queues, without running it. Tensors that outlive `body` (the loss, say) stay valid and hold the
   * values of the latest run; tensors from before must outlive the replay. Numbers that change from step to step must be
   * read from tensors, not passed as sizes.
   * @returns the recorded step, and what `body` returned
   */
  static async record<Result>(gpu: Gpu, body: () => Result): Promise<{ replay: Replay; result: Result }> {
    const outer = gpu.pool;
    const pool = gpu.newPool(Number.POSITIVE_INFINITY);
    gpu.pool = pool;
    let uniforms: GPUBuffer | undefined;
    let result: Result | undefined;
    try {
      const commands = gpu.queue.capture(() => {
        result = body();
      });
      gpu.pool = outer;
      await gpu.granted;
      gpu.check();
      const asked = commands.flatMap((command) => (command.kind === 'launch' ? [command.launch] : []));
      const size = Math.max(16, uniformBytes(gpu, asked));
      uniforms = gpu.device.createBuffer({ size, usage: USAGE.uniform | USAGE.copyTarget });
      const ready = (await prepare(gpu, asked, uniforms)).values();
      const launches = commands.map((command) => {
        if (command.kind === 'launch') return ready.next().value as PreparedLaunch;
        if (command.kind === 'clear') return command.buffer;
        throw new RomoError('replay', `a recorded step cannot hold a ${command.kind}`, 'Do it before or after run().');
      });
      return { replay: new Replay(gpu, launches, pool, uniforms), result: result as Result };
    } catch (error) {
      gpu.pool = outer;
      pool.destroy();
      uniforms?.destroy();
      throw error;
    }
  }

  /** Queues the recorded step once. */
  run(): void {
    this.gpu.queue.replay(this.launches);
  }

  /** Counters of the step's own pool. */
  memory(): MemoryCounters {
    return this.pool.counters();
  }

  /** Frees the step's memory; call when its last run has been read. */
  dispose(): void {
    this.pool.destroy();
    this.uniforms.destroy();
  }
}

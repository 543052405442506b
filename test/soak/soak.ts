/** A long warm-up of a tiny model, and the GPU buffers and host memory that it holds. */
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import { PRESETS } from '../../src/romo/config.ts';
import { trainSsm } from '../../src/romo/method/ssm.ts';
import { trainingData } from '../../src/romo/run/run.ts';
import type { Gpu } from '../../src/tensor/device.ts';

/** The memory held after a step. */
export interface Held {
  readonly step: number;
  /** bytes of all buffers in all pools */
  readonly deviceBytes: number;
  readonly liveBuffers: number;
  readonly hostBytes: number;
}

/**
 * Trains for a number of steps (a multiple of 20) in epochs of 20, each with its clustering. Measures what is held
 * after step 10 and after each twentieth of the run.
 * @param hostBytes bytes of the host's memory, after garbage collection
 */
export async function soak(gpu: Gpu, steps: number, hostBytes: () => number): Promise<Held[]> {
  const config = { ...structuredClone(PRESETS.tiny), train: 200, test: 10, batch: 10, clusters: 5 };
  config.ssm.epochs = steps / 20;
  const data = await openShapes(config);
  const marks = new Set([10, ...Array.from({ length: 20 }, (_, i) => (steps * (i + 1)) / 20)]);
  const held: Held[] = [];
  const model = await trainSsm(gpu, trainingData(data), config, {
    async onPosition({ epoch, step }) {
      const done = 20 * epoch + step;
      if (!marks.delete(done)) return;
      await gpu.finish();
      const { liveBuffers } = gpu.memory();
      held.push({ step: done, deviceBytes: gpu.budget.used, liveBuffers, hostBytes: hostBytes() });
    },
  });
  model.dispose();
  return held;
}

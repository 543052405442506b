/** How large a batch may be: a training step is recorded for smaller ones. */
import { concat } from '../../autograd/concat.ts';
import { contrastive } from '../../autograd/losses.ts';
import { record } from '../../autograd/tape.ts';
import { Sgd } from '../../model/sgd.ts';
import type { Gpu } from '../../tensor/device.ts';
import { RomoError } from '../../tensor/error.ts';
import { rehearse } from '../../tensor/rehearsal.ts';
import type { Config } from '../config.ts';
import { Encoders } from '../encoders.ts';

/**
 * The largest batch below the configuration's whose training steps fit: every tensor into the GPU's limits, all of them into the
 * memory that the GPU has given so far or may give (DeviceOptions.memoryBytes). 0 where not one pair does.
 * @param imageShape [H, W, C]
 */
export function largestBatch(gpu: Gpu, config: Config, imageShape: readonly [number, number, number]): number {
  let [fitting, tooLarge] = [0, config.batch];
  while (tooLarge - fitting > 1) {
    const batch = (fitting + tooLarge) >> 1;
    if (fits(gpu, { ...config, batch }, imageShape)) fitting = batch;
    else tooLarge = batch;
  }
  return fitting;
}

const SHARE = 0.98; // of the memory: heads, their losses, labels and batches take less than the rest

function fits(gpu: Gpu, config: Config, imageShape: readonly [number, number, number]): boolean {
  return (['ssm', 'rdl'] as const).every((stage) => {
    try {
      rehearse(gpu, gpu.budget.limit * SHARE, () => queueStep(gpu, config, stage, imageShape));
      return true;
    } catch (error) {
      if (error instanceof RomoError && error.code === 'memory') return false;
      throw error;
    }
  });
}

function queueStep(
  gpu: Gpu,
  config: Config,
  stage: 'ssm' | 'rdl',
  imageShape: readonly [number, number, number],
): void {
  using _scope = gpu.scope();
  const { batch, points, momentum, seed, train } = config;
  const networks = (of: 'ssm' | 'rdl') => new Encoders(gpu, config, config[of], imageShape[2], { seed, path: of });
  const encoders = networks(stage);
  // What a run holds meanwhile: the warm-up's networks; or both memory banks, and what clusters them.
  if (stage === 'rdl') networks('ssm');
  else gpu.empty([4 * train, encoders.dimension]);
  const images = gpu.empty([batch, ...imageShape]);
  const clouds = gpu.empty([batch, points, 3]);
  const optimiser = new Sgd(gpu, encoders.parameters(), { learningRate: 0, momentum, weightDecay: 0 });
  const tape = record(gpu, () => {
    const rows = [encoders.embedImages(images), encoders.embedClouds(clouds)];
    return contrastive(concat(rows, 0), { tau: 1 });
  });
  tape.backward();
  optimiser.step();
}

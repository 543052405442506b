/** Finds the largest batch that fits, by dry runs of a training step. */
import { concat } from '../../autograd/concat.ts';
import { contrastive } from '../../autograd/losses.ts';
import { record } from '../../autograd/tape.ts';
import type { Gpu } from '../../tensor/device.ts';
import { RomoError } from '../../tensor/error.ts';
import { rehearse } from '../../tensor/rehearsal.ts';
import type { Config } from '../config.ts';
import { Encoders } from '../encoders.ts';
import { optimizerOf } from '../method/optimizer.ts';

/**
 * The largest batch below the configured one whose training steps fit: each tensor into the GPU's limits, all of them
 * into the memory that the GPU has given so far or may give (DeviceOptions.memoryBytes). 0 if not even one pair fits.
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

const SHARE = 0.98; // of the memory; the rest is more than heads, their losses, labels and batches take

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
  const { batch, points, seed, train } = config;
  const networks = (of: 'ssm' | 'rdl') => new Encoders(gpu, config, config[of], imageShape[2], { seed, path: of });
  const encoders = networks(stage);
  // Held at the same time: in `rdl` the warm-up's networks, in `ssm` both memory banks and the rows that are clustered.
  if (stage === 'rdl') networks('ssm');
  else gpu.empty([4 * train, encoders.dimension]);
  const images = gpu.empty([batch, ...imageShape]);
  const clouds = gpu.empty([batch, points, 3]);
  const optimizer = optimizerOf(gpu, encoders.parameters(), config, config[stage]);
  const tape = record(gpu, () => {
    const rows = [encoders.embedImages(images), encoders.embedClouds(clouds)];
    return contrastive(concat(rows, 0), { tau: 1 });
  });
  tape.backward();
  optimizer.step();
}

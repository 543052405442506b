/** Finds the largest batch that fits, by dry runs of a training step. */
import { concat } from '../../autograd/concat.ts';
import { contrastive } from '../../autograd/losses.ts';
import { add } from '../../autograd/pointwise.ts';
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
export function largestBatch(gpu: Gpu, config: Config, imageShape: ImageShape): number {
  let [fitting, tooLarge] = [0, config.batch];
  while (tooLarge - fitting > 1) {
    const batch = (fitting + tooLarge) >> 1;
    if (fits(gpu, { ...config, batch }, imageShape)) fitting = batch;
    else tooLarge = batch;
  }
  return fitting;
}

const SHARE = 0.98; // of the memory; the rest is more than heads, their losses, labels and batches take

function fits(gpu: Gpu, config: Config, imageShape: ImageShape): boolean {
  return (['ssm', 'rdl'] as const).every((stage) => {
    try {
      const limit = gpu.budget.limit * SHARE;
      const ofStep = rehearse(gpu, limit, () => queueStep(gpu, config, stage, imageShape));
      // Self-labelling embeds all pairs between steps, a batch at a time, and clusters them. A recorded step shares no memory.
      if (stage === 'rdl' && config.rdl.selfLabels) {
        const counted = rehearse(gpu, limit, () => networks(gpu, config, stage, imageShape));
        rehearse(gpu, limit - ofStep + counted, () => queueEmbedding(gpu, config, imageShape));
        rehearse(gpu, limit - ofStep, () => gpu.empty([2 * config.train, config.rdl.dimension])); // rows, neighbours
      }
      return true;
    } catch (error) {
      if (error instanceof RomoError && error.code === 'memory') return false;
      throw error;
    }
  });
}

/** Without heads, and so without centres. */
const networks = (gpu: Gpu, config: Config, stage: 'ssm' | 'rdl', [, , channels]: ImageShape) =>
  new Encoders(gpu, config, { ...config[stage], pull: 0 }, channels, { seed: config.seed, path: stage });

type ImageShape = readonly [number, number, number];

function queueEmbedding(gpu: Gpu, config: Config, imageShape: ImageShape): void {
  using _scope = gpu.scope();
  const encoders = networks(gpu, config, 'rdl', imageShape);
  encoders.setTraining(false);
  encoders.embedImages(gpu.empty([config.batch, ...imageShape]));
  encoders.embedClouds(gpu.empty([config.batch, config.points, 3]));
}

function queueStep(gpu: Gpu, config: Config, stage: 'ssm' | 'rdl', imageShape: ImageShape): void {
  using _scope = gpu.scope();
  const { batch, points, train } = config;
  const encoders = networks(gpu, config, stage, imageShape);
  // Held at the same time: in `rdl` the warm-up's networks, in `ssm` both memory banks and the rows that are clustered.
  if (stage === 'rdl') networks(gpu, config, 'ssm', imageShape);
  else gpu.empty([4 * train, encoders.dimension]);
  const images = gpu.empty([batch, ...imageShape]);
  const clouds = gpu.empty([batch, points, 3]);
  const optimizer = optimizerOf(gpu, encoders.parameters(), config, config[stage]);
  const tape = record(gpu, () => {
    const rows = [encoders.embedImages(images), encoders.embedClouds(clouds)];
    const across = contrastive(concat(rows, 0), { tau: 1 });
    if (stage === 'rdl') return across;
    const { within, withinClouds } = config.ssm;
    const again = [
      ...(within ? [encoders.embedImages(gpu.empty(images.shape))] : []),
      ...(withinClouds ? [encoders.embedClouds(gpu.empty(clouds.shape))] : []),
    ];
    return again.reduce((total, view) => add(total, contrastive(concat([rows[0], view], 0), { tau: 1 })), across);
  });
  tape.backward();
  optimizer.step();
}

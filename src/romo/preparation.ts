/** How a model's configuration prepares objects. */
import { backgroundOf } from '../data/fields.ts';
import type { Preparation } from '../data/prepare.ts';
import { RomoError } from '../tensor/error.ts';
import type { Config } from './config.ts';

/** Mean and deviation per channel, as in torchvision and timm: https://docs.pytorch.org/vision/stable/models.html */
export const IMAGENET = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };

/**
 * The preparation of a run's objects, which every object that its model embeds must undergo. The number of channels is
 * that of the image encoder.
 * @throws RomoError `data` if the run is older than the rule that files are turned upright
 */
export function preparationOf(config: Config): Omit<Preparation, 'channels'> {
  const { data, imageSize, points, sampling, seed, pointEncoder, ssm, rdl, set } = config;
  const { up = 'z', background } = set ?? {};
  // Runs on files store their background since files are turned.
  if (up !== 'z' && background === undefined && data !== 'shapes') {
    throw new RomoError(
      'data',
      `the run was trained on ${data} with --up ${up} when clouds were not turned upright`,
      'Train it again.',
    );
  }
  return {
    imageSize,
    background: background ?? backgroundOf(data),
    points,
    sampling,
    leastPoints: pointEncoder === 'dgcnn' ? Math.max(ssm.k, rdl.k) : 1,
    seed,
    up,
  };
}

/**
 * Deep CCA by mini-batches, as Soft CCA: projections of the two encoders are pulled together, and soft decorrelation takes the
 * place of whitening. Source: Chang, Xiang, Hospedales: "Scalable and effective deep CCA via soft decorrelation", CVPR 2018; deep
 * CCA: Andrew et al., ICML 2013.
 */
import { add, scale, square, sub } from '../../autograd/pointwise.ts';
import { mean } from '../../autograd/reduce.ts';
import { identity, type RunningCovariance, remember, softDecorrelation } from '../losses.ts';
import type { LabelFreeMethod } from '../method.ts';
import { ProjectedModel, trained, trainPairs } from '../training.ts';

const DECAY = 0.9;
const WEIGHT = 0.1; // of the decorrelation

export const deepCca: LabelFreeMethod = {
  name: 'deep-cca',
  kind: 'deep',
  what: 'deep CCA in its mini-batch form, Soft CCA: soft decorrelation in place of whitening',
  source: 'Chang et al. 2018, CVPR; Andrew et al. 2013, ICML',
  uses: 'pairs',
  async train(setting) {
    const { gpu } = setting;
    const model = new ProjectedModel(setting);
    const d = model.dimension;
    const others = identity(gpu, d, 0, 1);
    const running = (): RunningCovariance => ({ sum: gpu.zeros([d, d]), weight: gpu.zeros([1]) });
    const [ofImages, ofClouds] = [running(), running()];
    await trainPairs(setting, model, {
      loss(images, clouds) {
        const [a, b] = model.project(images, clouds);
        const distance = mean(square(sub(a, b)));
        const correlation = add(
          softDecorrelation(a, ofImages, DECAY, others),
          softDecorrelation(b, ofClouds, DECAY, others),
        );
        return { total: add(distance, scale(correlation, WEIGHT)), kept: [a, b] };
      },
      after([a, b]) {
        remember(a, ofImages, DECAY);
        remember(b, ofClouds, DECAY);
      },
    });
    return trained(setting, model);
  },
};

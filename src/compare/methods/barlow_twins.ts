/**
 * Barlow Twins across modalities: the correlation matrix of image and cloud projections becomes the identity. Source: Zbontar et
 * al.: "Barlow Twins: self-supervised learning via redundancy reduction", ICML 2021.
 */
import { identity, barlowTwins as loss } from '../losses.ts';
import type { LabelFreeMethod } from '../method.ts';
import { ProjectedModel, trained, trainPairs } from '../training.ts';

const REDUNDANCY = 5e-3; // the paper's lambda

export const barlowTwins: LabelFreeMethod = {
  name: 'barlow-twins',
  kind: 'deep',
  what: 'Barlow Twins across modalities',
  source: 'Zbontar et al. 2021, ICML',
  uses: 'pairs',
  async train(setting) {
    const model = new ProjectedModel(setting);
    const eye = identity(setting.gpu, model.dimension);
    const weights = identity(setting.gpu, model.dimension, 1, REDUNDANCY);
    await trainPairs(setting, model, {
      loss: (images, clouds) => loss(...model.project(images, clouds), eye, weights),
    });
    return trained(setting, model);
  },
};

/**
 * SwAV on pairs: each view predicts the code of the other, and the codes of a batch are spread evenly over the prototypes. Source:
 * Caron et al.: "Unsupervised learning of visual features by contrasting cluster assignments", NeurIPS 2020.
 */
import { swappedPrediction } from '../losses.ts';
import type { LabelFreeMethod } from '../method.ts';
import { PairModel, trained, trainPairs } from '../training.ts';

const OPTIONS = { tau: 0.1, epsilon: 0.05, iterations: 3 }; // the paper's

export const swav: LabelFreeMethod = {
  name: 'swav',
  kind: 'clustering',
  what: 'SwAV on pairs: balanced transport to prototypes, swapped prediction',
  source: 'Caron et al. 2020, NeurIPS',
  uses: 'pairs, the number of clusters',
  async train(setting) {
    const model = new PairModel(setting);
    const prototypes = model.addPrototypes(setting.config.clusters);
    await trainPairs(setting, model, {
      loss: (images, clouds) => swappedPrediction(prototypes.scores(images), prototypes.scores(clouds), OPTIONS),
    });
    return trained(setting, model);
  },
};

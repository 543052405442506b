/**
 * UCCH's ranking loss, on continuous embeddings. Source: Hu et al.: "Unsupervised contrastive cross-modal hashing", TPAMI 2023;
 * its contrastive loss with a memory of hash codes is left out.
 */
import { add } from '../../autograd/pointwise.ts';
import { identity, type Ranking, ranking } from '../losses.ts';
import type { LabelFreeMethod } from '../method.ts';
import { PairModel, trained, trainPairs } from '../training.ts';

const OPTIONS: Ranking = { margin: 0.2, shift: 1, tau: 1 }; // of the released code

export const ucch: LabelFreeMethod = {
  name: 'ucch',
  kind: 'deep',
  what: "UCCH's ranking loss with continuous embeddings",
  source: 'Hu et al. 2023, TPAMI',
  uses: 'pairs',
  async train(setting) {
    const { gpu, config } = setting;
    const model = new PairModel(setting);
    const eye = identity(gpu, config.batch);
    const places = gpu.tensor(
      Int32Array.from({ length: config.batch }, (_, i) => i),
      [config.batch],
    );
    await trainPairs(setting, model, {
      loss: (images, clouds) =>
        add(ranking(images, clouds, eye, places, OPTIONS), ranking(clouds, images, eye, places, OPTIONS)),
    });
    return trained(setting, model);
  },
};

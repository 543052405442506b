/**
 * NT-Xent across modalities, which is RoMo's L_mlm alone. Source: Chen et al.: "A simple framework for contrastive learning of
 * visual representations", ICML 2020.
 */
import { concat } from '../../autograd/concat.ts';
import { contrastive } from '../../autograd/losses.ts';
import type { LabelFreeMethod } from '../method.ts';
import { PairModel, trained, trainPairs } from '../training.ts';

export const ntXent: LabelFreeMethod = {
  name: 'nt-xent',
  kind: 'deep',
  what: 'NT-Xent across modalities: L_mlm alone',
  source: 'Chen et al. 2020, ICML',
  uses: 'pairs',
  async train(setting) {
    const model = new PairModel(setting);
    const { tau } = setting.config.ssm;
    await trainPairs(setting, model, {
      loss: (images, clouds) => contrastive(concat([images, clouds], 0), { tau }),
    });
    return trained(setting, model);
  },
};

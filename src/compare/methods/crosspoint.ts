/**
 * CrossPoint's pair of losses: NT-Xent between two augmentations of a cloud, and between their mean and the image. Source: Afham
 * et al.: "CrossPoint: self-supervised cross-modal contrastive learning for 3D point cloud understanding", CVPR 2022.
 */
import { concat } from '../../autograd/concat.ts';
import { contrastive } from '../../autograd/losses.ts';
import { add, scale } from '../../autograd/pointwise.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { LabelFreeMethod } from '../method.ts';
import { PairModel, trained, trainPairs } from '../training.ts';

export const crossPoint: LabelFreeMethod = {
  name: 'crosspoint',
  kind: 'deep',
  what: "CrossPoint's losses within clouds and across modalities",
  source: 'Afham et al. 2022, CVPR',
  uses: 'pairs, a second augmentation of each cloud',
  async train(setting) {
    const model = new PairModel(setting);
    const { tau } = setting.config.ssm;
    const ntXent = (a: Tensor, b: Tensor) => contrastive(concat([a, b], 0), { tau });
    await trainPairs(setting, model, {
      again: { clouds: true },
      loss(images, clouds, { cloudsAgain }) {
        const again = model.encoders.embedClouds(cloudsAgain as Tensor);
        const prototype = scale(add(clouds, again), 0.5);
        return add(ntXent(clouds, again), ntXent(images, prototype));
      },
    });
    return trained(setting, model);
  },
};

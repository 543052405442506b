/**
 * IIC on pairs: the cluster of the image says as much as possible about the cluster of the cloud. Source: Ji, Henriques, Vedaldi:
 * "Invariant information clustering for unsupervised image classification and segmentation", ICCV 2019, without its second head.
 */
import { scale } from '../../autograd/pointwise.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { mutualInformation } from '../losses.ts';
import type { LabelFreeMethod } from '../method.ts';
import { PairModel, trained, trainPairs } from '../training.ts';

export const iic: LabelFreeMethod = {
  name: 'iic',
  kind: 'clustering',
  what: 'IIC on pairs: mutual information of the assignments',
  source: 'Ji et al. 2019, ICCV',
  uses: 'pairs, the number of clusters',
  async train(setting) {
    const { clusters, headTemperature } = setting.config;
    const model = new PairModel(setting);
    const prototypes = model.addPrototypes(clusters);
    const logits = (rows: Tensor) => scale(prototypes.scores(rows), 1 / headTemperature);
    await trainPairs(setting, model, {
      loss: (images, clouds) => mutualInformation(logits(images), logits(clouds)),
    });
    return trained(setting, model);
  },
};

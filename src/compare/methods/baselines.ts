/** For scale: what no training reaches, and what training with labels reaches. */
import { concat } from '../../autograd/concat.ts';
import { contrastive, softmaxCrossEntropy } from '../../autograd/losses.ts';
import { add, scale } from '../../autograd/pointwise.ts';
import { rawClusters } from '../../romo/raw.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { LabelFreeMethod, SupervisedMethod } from '../method.ts';
import { PairModel, trained, trainPairs } from '../training.ts';

export const untrained: LabelFreeMethod = {
  name: 'untrained',
  kind: 'scale',
  what: 'the encoders with their initial weights',
  source: '-',
  uses: 'nothing',
  train: async (setting) => trained(setting, new PairModel(setting)),
};

export const kmeansRaw: LabelFreeMethod = {
  name: 'kmeans-raw',
  kind: 'scale',
  what: 'k-means on pixels and voxels: cosines with the centres',
  source: 'Lloyd 1982; Arthur and Vassilvitskii 2007',
  uses: 'pairs, the number of clusters; no augmentation',
  train: async ({ gpu, data, config }) => ({ embed: await rawClusters(gpu, data.pairs, config) }),
};

export const oracle: SupervisedMethod = {
  name: 'supervised-oracle',
  kind: 'scale',
  what: 'cross entropy on the true labels, and NT-Xent across modalities',
  source: '-',
  uses: 'pairs and the labels of the training objects',
  readsLabels: true,
  async train(setting, { values, classNames }) {
    const { headTemperature, ssm, rdl } = setting.config;
    const model = new PairModel(setting);
    const head = model.addHead(classNames.length);
    const classify = (rows: Tensor, labels: Tensor) =>
      softmaxCrossEntropy(scale(head.forward(rows), 1 / headTemperature), labels);
    await trainPairs(setting, model, {
      labels: async () => ({ images: values, clouds: values }),
      loss(images, clouds, batch) {
        const labelled = add(classify(images, batch.imageLabels), classify(clouds, batch.cloudLabels));
        const paired = contrastive(concat([images, clouds], 0), { tau: ssm.tau });
        return add(scale(labelled, rdl.beta), scale(paired, 1 - rdl.beta));
      },
    });
    return trained(setting, model);
  },
};

/**
 * DeepCluster on pairs: before each epoch k-means of the pairs' mean embeddings, then cross entropy on the clusters with a new head.
 * Source: Caron et al.: "Deep clustering for unsupervised learning of visual features", ECCV 2018.
 */
import { gather } from '../../autograd/gather.ts';
import { softmaxCrossEntropy } from '../../autograd/losses.ts';
import { add, scale } from '../../autograd/pointwise.ts';
import { clusterSizes, kmeans } from '../../romo/method/kmeans.ts';
import { pairMeans } from '../../romo/rows.ts';
import { Random } from '../../tensor/random.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { LabelFreeMethod } from '../method.ts';
import { embedTraining, PairModel, trained, trainPairs } from '../training.ts';

export const deepCluster: LabelFreeMethod = {
  name: 'deep-cluster',
  kind: 'clustering',
  what: 'DeepCluster on pairs: k-means of the pair means and cross entropy',
  source: 'Caron et al. 2018, ECCV',
  uses: 'pairs, the number of clusters',
  async train(setting) {
    const { gpu, config } = setting;
    const { clusters, seed, headTemperature } = config;
    const model = new PairModel(setting);
    const head = model.addHead(clusters);
    const weightOf = gpu.zeros([clusters, 1]); // of the objects of each cluster
    const loss = (rows: Tensor, labels: Tensor) =>
      softmaxCrossEntropy(scale(head.forward(rows), 1 / headTemperature), labels, gather(weightOf, labels));
    await trainPairs(setting, model, {
      loss: (images, clouds, batch) => add(loss(images, batch.imageLabels), loss(clouds, batch.cloudLabels)),
      async labels(epoch) {
        const { images, clouds, dimension } = await embedTraining(setting, model);
        const stream = `deep-cluster ${epoch}`;
        const { labels } = await kmeans(gpu, pairMeans(images, clouds, dimension), dimension, {
          clusters,
          seed,
          stream,
        });
        // Each cluster counts the same: otherwise the largest would swallow the others.
        const sizes = clusterSizes(labels, clusters);
        weightOf.write(sizes.map((size) => (size > 0 ? labels.length / (clusters * size) : 0)));
        const random = new Random(seed, stream, 'head');
        const spread = 1 / Math.sqrt(dimension);
        head.weight.write(Float32Array.from({ length: head.weight.size }, () => spread * random.normal()));
        return { images: labels, clouds: labels };
      },
    });
    return trained(setting, model);
  },
};

/**
 * IIC on pairs: the cluster of the image says as much as possible about the cluster of the cloud. Source: Ji, Henriques, Vedaldi:
 * "Invariant information clustering for unsupervised image classification and segmentation", ICCV 2019, without its second head.
 *
 * Mutual information does not ask that both views of an object fall into the *same* cluster: any pairing of clusters is as good. So
 * objects are compared by their clusters, and those of a cloud are translated by the pairing that was learned.
 */
import { scale } from '../../autograd/pointwise.ts';
import type { PairedData } from '../../data/types.ts';
import { embedAll } from '../../romo/embedding.ts';
import { scoresOf } from '../../romo/rows.ts';
import { exp } from '../../tensor/exact.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { mutualInformation } from '../losses.ts';
import type { LabelFreeMethod } from '../method.ts';
import { PairModel, trainPairs } from '../training.ts';

export const iic: LabelFreeMethod = {
  name: 'iic',
  kind: 'clustering',
  what: 'IIC on pairs: mutual information of the assignments',
  source: 'Ji et al. 2019, ICCV',
  uses: 'pairs, the number of clusters',
  async train(setting) {
    const { gpu, data, config } = setting;
    const { clusters, headTemperature } = config;
    const model = new PairModel(setting);
    const prototypes = model.addPrototypes(clusters);
    const logits = (rows: Tensor) => scale(prototypes.scores(rows), 1 / headTemperature);
    await trainPairs(setting, model, {
      loss: (images, clouds) => mutualInformation(logits(images), logits(clouds)),
    });
    const centres = await prototypes.read();
    const assigned = async (pairs: PairedData) => {
      const { images, clouds, dimension } = await embedAll(gpu, model, pairs, config, data.rotation);
      return [images, clouds].map((rows) => softmax(scoresOf(rows, centres, dimension), clusters, headTemperature));
    };
    const translate = translation(await assigned(data.pairs), clusters);
    return {
      async embed(pairs) {
        const [images, clouds] = await assigned(pairs);
        return { images: Float32Array.from(images), clouds: translate(clouds), dimension: clusters };
      },
      dispose: () => model.dispose(),
    };
  },
};

/** exp(score / temperature) over the sum of the row; scores [N, C] are cosines. */
function softmax(scores: Float64Array, columns: number, temperature: number): Float64Array {
  const powers = scores.map((score) => exp((score - 1) / temperature));
  return powers.map((power, i) => {
    const start = i - (i % columns);
    return power / powers.subarray(start, start + columns).reduce((sum, other) => sum + other, 0);
  });
}

/** From the clusters of clouds [N, C] to those of images: q -> sum over c of P(image cluster | cloud cluster c) q_c. */
function translation([images, clouds]: Float64Array[], clusters: number): (q: Float64Array) => Float32Array {
  const joint = new Float64Array(clusters * clusters); // [image cluster, cloud cluster]
  const total = new Float64Array(clusters);
  clouds.forEach((q, i) => {
    const [row, c] = [i - (i % clusters), i % clusters];
    total[c] += q;
    for (let k = 0; k < clusters; k++) joint[k * clusters + c] += images[row + k] * q;
  });
  return (rows) =>
    Float32Array.from(rows, (_, i) => {
      const [row, k] = [i - (i % clusters), i % clusters];
      let sum = 0;
      for (let c = 0; c < clusters; c++) sum += (joint[k * clusters + c] / total[c]) * rows[row + c];
      return sum;
    });
}

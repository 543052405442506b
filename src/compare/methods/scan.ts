/**
 * SCAN on pairs. First a pretext task, NT-Xent across modalities; then each object and one of its neighbours, in either view, should
 * fall into the same cluster, and the clusters should be of equal size. Source: Van Gansbeke et al.: "SCAN: learning to classify
 * images without labels", ECCV 2020, without its third step, self-labelling, which romo-robust has.
 */
import { concat } from '../../autograd/concat.ts';
import { contrastive } from '../../autograd/losses.ts';
import { add, scale } from '../../autograd/pointwise.ts';
import { nearestObjects } from '../../romo/method/views.ts';
import { pairMeans } from '../../romo/rows.ts';
import { Random } from '../../tensor/random.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { consistency, negativeEntropy } from '../losses.ts';
import type { LabelFreeMethod } from '../method.ts';
import { embedTraining, PairModel, trained, trainPairs } from '../training.ts';

const NEIGHBOURS = 10;
const BALANCE = 5; // the paper's lambda

export const scan: LabelFreeMethod = {
  name: 'scan',
  kind: 'clustering',
  what: 'SCAN on pairs: neighbours of NT-Xent embeddings share a cluster',
  source: 'Van Gansbeke et al. 2020, ECCV',
  uses: 'pairs, neighbours among them, the number of clusters',
  async train(setting) {
    const { gpu, config } = setting;
    const { clusters, seed, headTemperature, rdl } = config;
    const pretext = new PairModel(setting);
    await trainPairs(setting, pretext, {
      epochs: 'ssm',
      loss: (images, clouds) => contrastive(concat([images, clouds], 0), { tau: config.ssm.tau }),
    });
    const { images: imageRows, clouds: cloudRows, dimension } = await embedTraining(setting, pretext);
    const neighbours = await nearestObjects(gpu, pairMeans(imageRows, cloudRows, dimension), dimension, {
      seed,
      rdl: { ...rdl, voteNeighbours: NEIGHBOURS },
    });
    const model = new PairModel(setting);
    model.encoders.loadStateDict(await pretext.encoders.stateDict(), 'the pretext model');
    pretext.dispose();
    const prototypes = model.addPrototypes(clusters);
    const logits = (rows: Tensor) => scale(prototypes.scores(rows), 1 / headTemperature);
    const neighbourOf = (epoch: number) => (index: number) => {
      const own = neighbours[index];
      return own[new Random(seed, 'scan', epoch, index).integer(own.length)];
    };
    await trainPairs(setting, model, {
      epochs: 'rdl',
      again: { images: true, clouds: true, of: (epoch, indices) => indices.map(neighbourOf(epoch)) },
      loss(images, clouds, { imagesAgain, cloudsAgain }) {
        const anchors = logits(concat([images, clouds], 0));
        const [nearImages, nearClouds] = [
          model.encoders.embedImages(imagesAgain as Tensor),
          model.encoders.embedClouds(cloudsAgain as Tensor),
        ];
        const within = consistency(anchors, logits(concat([nearImages, nearClouds], 0)));
        const across = consistency(anchors, logits(concat([nearClouds, nearImages], 0)));
        return add(add(within, across), scale(negativeEntropy(anchors), 2 * BALANCE));
      },
    });
    return trained(setting, model);
  },
};

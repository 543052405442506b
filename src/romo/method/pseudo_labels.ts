/** Pseudo labels: the cluster that the warm-up assigns to each training sample. The data set's labels are not used. */
import { product } from '../../autograd/matmul.ts';
import { argmax } from '../../autograd/softmax.ts';
import type { Linear } from '../../model/layers.ts';
import type { Gpu } from '../../tensor/device.ts';
import { Random } from '../../tensor/random.ts';
import type { Config } from '../config.ts';
import { embedAll } from '../embedding.ts';
import { pairMeans } from '../rows.ts';
import type { TrainingData } from './feeder.ts';
import { kmeans } from './kmeans.ts';
import type { SsmModel } from './ssm.ts';
import type { PseudoLabels } from './stage_state.ts';

/**
 * Pseudo labels of the training samples. `heads`: the argmax of each modality's trained head. `pairs`: clusters of
 * normalize(v_image + v_points), the same label for both. `pairs` measured better, and uses no labels: pairs are known.
 */
export async function pseudoLabels(
  gpu: Gpu,
  model: SsmModel,
  data: TrainingData,
  config: Config,
): Promise<PseudoLabels> {
  const { images, clouds, dimension } = await embedAll(gpu, model.encoders, data.pairs, config, data.rotation);
  if (config.rdl.pseudoLabels === 'pairs') {
    const options = { clusters: config.clusters, seed: config.seed, stream: 'pseudo labels', restarts: 10 };
    const { labels } = await kmeans(gpu, pairMeans(images, clouds, dimension), dimension, options);
    return { images: labels, clouds: labels };
  }
  const [imageLabels, cloudLabels] = [
    await headLabels(gpu, model.imageHead, images, dimension),
    await headLabels(gpu, model.cloudHead, clouds, dimension),
  ];
  return { images: imageLabels, clouds: cloudLabels };
}

/**
 * Replaces a share of the labels by others, drawn separately for each modality, to measure the effect of label noise.
 * @param share 0..1, of the objects
 */
export function withLabelNoise(
  { images, clouds }: PseudoLabels,
  share: number,
  { clusters, seed }: Pick<Config, 'clusters' | 'seed'>,
): PseudoLabels {
  const noisy = (labels: Int32Array, modality: string) => {
    const random = new Random(seed, 'label noise', modality);
    return labels.map((label) => {
      const [isReplaced, by] = [random.uniform() < share, 1 + random.integer(clusters - 1)];
      return isReplaced ? (label + by) % clusters : label;
    });
  };
  return { images: noisy(images, 'images'), clouds: noisy(clouds, 'points') };
}

async function headLabels(gpu: Gpu, head: Linear, rows: Float32Array, dimension: number): Promise<Int32Array> {
  using _scope = gpu.scope();
  const unit = gpu.tensor(rows, [rows.length / dimension, dimension]);
  return (await argmax(product(unit, head.weight, {})).read()) as Int32Array;
}

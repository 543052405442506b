/** Pseudo labels: the cluster of each training sample after the warm-up. No label of the data set is involved. */
import { product } from '../../autograd/matmul.ts';
import { argmax } from '../../autograd/softmax.ts';
import type { Linear } from '../../model/layers.ts';
import type { Gpu } from '../../tensor/device.ts';
import { Random } from '../../tensor/random.ts';
import type { Config } from '../config.ts';
import { embedAll } from '../embedding.ts';
import type { TrainingData } from './feeder.ts';
import type { SsmModel } from './ssm.ts';
import type { PseudoLabels } from './stage_state.ts';
import { clusterObjects } from './views.ts';

/**
 * `heads`: the argmax of each modality's trained head. `pairs`: clusters of normalize(v_image + v_points), the same
 * label for both; better where it was measured, and honest, because pairs are known without labels.
 */
export async function pseudoLabels(
  gpu: Gpu,
  model: SsmModel,
  data: TrainingData,
  config: Config,
): Promise<PseudoLabels> {
  const { images, clouds, dimension } = await embedAll(gpu, model.encoders, data.pairs, config, data.rotation);
  if (config.rdl.pseudoLabels === 'pairs') {
    const { joinedFrom = 1, rdl } = config;
    // Joined clusters are found again before the first epoch of `rdl`; others only move from these.
    const restarts = !rdl.selfLabels ? 10 : joinedFrom === 1 ? 40 : 4;
    const options = { stream: 'pseudo labels', restarts };
    const { labels } = await clusterObjects(gpu, { images, clouds, dimension }, config, options);
    return { images: labels, clouds: labels };
  }
  const [imageLabels, cloudLabels] = [
    await headLabels(gpu, model.imageHead, images, dimension),
    await headLabels(gpu, model.cloudHead, clouds, dimension),
  ];
  return { images: imageLabels, clouds: cloudLabels };
}

/**
 * The same labels with a share of them replaced by others, drawn anew for each modality: to see how a loss copes with
 * noise.
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

function headLabels(gpu: Gpu, head: Linear, rows: Float32Array, dimension: number): Promise<Int32Array> {
  using _scope = gpu.scope();
  const unit = gpu.tensor(rows, [rows.length / dimension, dimension]);
  return argmax(product(unit, head.weight, {})).read() as Promise<Int32Array>;
}

/**
 * Stage `ssm`, the warm-up: each sample's embedding is trained to fall into the cluster that its memory falls into, and
 * pairs are pulled together (L_mlm). Source: RoMo, IEEE TIP 2024. The targets `joint` and `balanced` are ours: the
 * paper's (`memory`, `soft`) lets both heads collapse to one cluster when no label leaks in.
 */
import { concat } from '../../autograd/concat.ts';
import { gather } from '../../autograd/gather.ts';
import { contrastive, softCrossEntropy, softmaxCrossEntropy } from '../../autograd/losses.ts';
import { product } from '../../autograd/matmul.ts';
import { add, scale } from '../../autograd/pointwise.ts';
import { argmax, softmax } from '../../autograd/softmax.ts';
import { at, type Init, Linear } from '../../model/layers.ts';
import { Module } from '../../model/module.ts';
import type { Gpu } from '../../tensor/device.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Config } from '../config.ts';
import { type Embeddings, embedAll } from '../embedding.ts';
import { Encoders } from '../encoders.ts';
import { argmaxRows, scoresOf, transposed, unitRows } from '../rows.ts';
import { Feeder, type TrainingData } from './feeder.ts';
import { clusterSizes, kmeans, lloydFrom } from './kmeans.ts';
import { MemoryBank } from './memory_bank.ts';
import { balancedLabels } from './sinkhorn.ts';
import { runStage, type StageHooks } from './stage.ts';
import { clusterObjects } from './views.ts';

/** Encoders and a head per modality: linear d -> C without bias; logits are cosine-like scores / temperature. */
export class SsmModel extends Module {
  readonly encoders: Encoders;
  readonly imageHead: Linear;
  readonly cloudHead: Linear;

  constructor(
    gpu: Gpu,
    private readonly config: Config,
    imageChannels: number,
  ) {
    super(gpu);
    const init: Init = { seed: config.seed, path: 'ssm' };
    const { clusters, ssm } = config;
    this.encoders = this.child('encoders', new Encoders(gpu, config, ssm, imageChannels, at(init, 'encoders')));
    this.imageHead = this.child(
      'image_head',
      new Linear(gpu, ssm.dimension, clusters, at(init, 'image_head'), { bias: false }),
    );
    this.cloudHead = this.child(
      'point_head',
      new Linear(gpu, ssm.dimension, clusters, at(init, 'point_head'), { bias: false }),
    );
  }

  /** unit rows [B, d] -> logits [B, C], divided by the heads' temperature */
  logits(head: Linear, unit: Tensor): Tensor {
    return scale(head.forward(unit), 1 / this.config.headTemperature);
  }

  /** Sets the heads so that their scores are cosines with the given centres [C, d]. */
  setHeads(imageCentres: Float32Array, cloudCentres: Float32Array): void {
    const { dimension } = this.encoders;
    const columns = (centres: Float32Array) => transposed(unitRows(centres.slice(), dimension), dimension);
    this.imageHead.weight.write(columns(imageCentres));
    this.cloudHead.weight.write(columns(cloudCentres));
  }
}

/**
 * The paper's start: k-means over both modalities' rows together, then per modality from those centres, so that cluster
 * c means the same in both.
 */
async function initialHeads(gpu: Gpu, model: SsmModel, { images, clouds }: Embeddings, config: Config): Promise<void> {
  const { clusters, seed, ssm } = config;
  const both = new Float32Array(images.length + clouds.length);
  both.set(images);
  both.set(clouds, images.length);
  const mixed = await kmeans(gpu, both, ssm.dimension, { clusters, seed, stream: 'mixed' });
  const own = [images, clouds].map((rows) => lloydFrom(gpu, rows, ssm.dimension, mixed.centres));
  const [ofImages, ofClouds] = await Promise.all(own);
  model.setHeads(ofImages.centres, ofClouds.centres);
}

/** Hooks of the warm-up. */
export interface SsmHooks extends StageHooks {
  /** Called with the cluster sizes of each modality at the start of each epoch. */
  onClusters?: ((epoch: number, images: number[], clouds: number[]) => void) | undefined;
}

// Soft targets have the head's temperature times this, which makes them sharper than its own distribution.
const SHARPENING = 0.5;
const SINKHORN_TEMPERATURE = 0.05;

/** Trains the warm-up and returns its model. @throws RomoError `not-finite` if the loss is not finite */
export async function trainSsm(gpu: Gpu, data: TrainingData, config: Config, hooks: SsmHooks = {}): Promise<SsmModel> {
  const { ssm, clusters } = config;
  const model = new SsmModel(gpu, config, data.pairs.imageShape[2]);
  const { encoders, imageHead, cloudHead } = model;
  if (hooks.pretrained && !hooks.resumeFrom) encoders.loadPretrained(hooks.pretrained);
  const start = hooks.resumeFrom ? null : await embedAll(gpu, encoders, data.pairs, config, data.rotation);
  const empty = new Float32Array(data.pairs.length * ssm.dimension); // until the state to resume from is written into it
  const imageBank = new MemoryBank(gpu, start?.images ?? empty, ssm.dimension);
  const cloudBank = new MemoryBank(gpu, start?.clouds ?? empty, ssm.dimension);
  if (start) await initialHeads(gpu, model, start, config);
  const feeder = new Feeder(gpu, data, config, 'ssm');

  /** Cross entropy of the head's logits for v_i with the target that the head or the epoch's clustering gives m_i. */
  function selfMatching(head: Linear, unit: Tensor, bank: MemoryBank, indices: Tensor, labels: Tensor): Tensor {
    const logits = model.logits(head, unit);
    if (ssm.target === 'joint' || ssm.target === 'balanced') return softmaxCrossEntropy(logits, labels);
    const scores = product(gather(bank.rows, indices), head.weight, {});
    if (ssm.target === 'memory') return softmaxCrossEntropy(logits, argmax(scores));
    return softCrossEntropy(logits, softmax(scores, SHARPENING * config.headTemperature));
  }

  /** L_mlm between rows and their partners. Within a modality it is SimCLR's loss (Chen et al. 2020). */
  const between = (rows: Tensor, partners: Tensor) => contrastive(concat([rows, partners], 0), { tau: ssm.tau });

  await runStage(gpu, {
    name: 'ssm',
    config,
    stage: ssm,
    feeder,
    model,
    memories: { images: imageBank.rows, points: cloudBank.rows }, // names in checkpoints
    losses(batch) {
      const images = encoders.embedImages(batch.images);
      const clouds = encoders.embedClouds(batch.clouds);
      const supervision = add(
        selfMatching(imageHead, images, imageBank, batch.indices, batch.imageLabels),
        selfMatching(cloudHead, clouds, cloudBank, batch.indices, batch.cloudLabels),
      );
      // The mean of two views of a cloud is a steadier partner than one view. Source: CrossPoint (Afham et al. 2022).
      const cloudsAgain = batch.cloudsAgain && encoders.embedClouds(batch.cloudsAgain);
      const invariance = between(images, cloudsAgain ? scale(add(clouds, cloudsAgain), 0.5) : clouds);
      let total = add(scale(supervision, ssm.lambda), scale(invariance, 1 - ssm.lambda));
      if (batch.imagesAgain) {
        total = add(total, scale(between(images, encoders.embedImages(batch.imagesAgain)), ssm.within ?? 0));
      }
      if (cloudsAgain) total = add(total, scale(between(clouds, cloudsAgain), ssm.withinClouds ?? 0));
      return { total, supervision, invariance, kept: [images, clouds] };
    },
    after({ indices }, [images, clouds]) {
      imageBank.update(images, indices, ssm.memoryMomentum);
      cloudBank.update(clouds, indices, ssm.memoryMomentum);
    },
    async prepareEpoch(epoch) {
      const [images, clouds] = await Promise.all([imageBank.rows.readFloats(), cloudBank.rows.readFloats()]);
      if (ssm.target === 'joint') {
        const embeddings = { images, clouds, dimension: ssm.dimension };
        const { centres, labels } = await clusterObjects(gpu, embeddings, config, { stream: `ssm ${epoch}` });
        model.setHeads(centres, centres);
        const sizes = clusterSizes(labels, clusters);
        hooks.onClusters?.(epoch, sizes, sizes);
        return { images: labels, clouds: labels };
      }
      const [imageWeights, cloudWeights] = await Promise.all([
        imageHead.weight.readFloats(),
        cloudHead.weight.readFloats(),
      ]);
      const [imageLabels, cloudLabels] = [
        [images, imageWeights],
        [clouds, cloudWeights],
      ].map(([rows, weights]) => {
        const scores = scoresOf(rows, transposed(weights, clusters), ssm.dimension);
        // `memory` and `soft` ask the head again at each step; their labels here only feed the report of cluster sizes.
        return ssm.target === 'balanced'
          ? balancedLabels(scores, clusters, SINKHORN_TEMPERATURE)
          : argmaxRows(scores, clusters);
      });
      hooks.onClusters?.(epoch, clusterSizes(imageLabels, clusters), clusterSizes(cloudLabels, clusters));
      return { images: imageLabels, clouds: cloudLabels };
    },
    hooks,
  });
  for (const owned of [feeder, imageBank, cloudBank]) owned.dispose();
  return model;
}

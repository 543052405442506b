/**
 * Stage `rdl`, robust discriminative learning: trains encoders and a head on the warm-up's pseudo labels, and pulls pairs
 * together (L_mlm). The paper's loss is RCLL, which ignores samples whose label the model finds unlikely. Self-labelling
 * leaves those out before, and learns more with cross entropy.
 * Source: RoMo, IEEE TIP 2024.
 */
import { concat } from '../../autograd/concat.ts';
import { contrastive, rcll, softmaxCrossEntropy } from '../../autograd/losses.ts';
import { add, scale } from '../../autograd/pointwise.ts';
import { HeadMlp } from '../../model/heads.ts';
import { at, type Init, Linear } from '../../model/layers.ts';
import { Module } from '../../model/module.ts';
import type { Gpu } from '../../tensor/device.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type Config, temperatureOfRdl } from '../config.ts';
import { embedAll } from '../embedding.ts';
import { Encoders } from '../encoders.ts';
import { transposed } from '../rows.ts';
import { Feeder, type TrainingData } from './feeder.ts';
import { clusterSizes } from './kmeans.ts';
import { relabel, type SelfLabels } from './self_labels.ts';
import type { SsmModel } from './ssm.ts';
import { runStage, type StageHooks } from './stage.ts';
import type { PseudoLabels } from './stage_state.ts';

/**
 * Encoders and a head, one for both modalities or one each: d -> hidden -> C or, with self-labelling, linear without bias, whose
 * logits are cosines with the centres that it starts at.
 */
export class RdlModel extends Module {
  readonly encoders: Encoders;
  readonly imageHead: HeadMlp | Linear;
  readonly cloudHead: HeadMlp | Linear;

  constructor(
    gpu: Gpu,
    private readonly config: Config,
    imageChannels: number,
  ) {
    super(gpu);
    const init: Init = { seed: config.seed, path: 'rdl' };
    const { clusters, rdl } = config;
    const head = (name: string) => {
      const from = at(init, name);
      return rdl.selfLabels
        ? this.child(name, new Linear(gpu, rdl.dimension, clusters, from, { bias: false }))
        : this.child(name, new HeadMlp(gpu, rdl.dimension, rdl.hidden, clusters, from));
    };
    this.encoders = this.child('encoders', new Encoders(gpu, config, rdl, imageChannels, at(init, 'encoders')));
    this.imageHead = this.encoders.centres ?? head(rdl.sharedHead ? 'head' : 'image_head');
    this.cloudHead = rdl.sharedHead ? this.imageHead : head('point_head');
  }

  get temperature(): number {
    return temperatureOfRdl(this.config);
  }

  /** Linear heads whose scores are cosines with the given unit centres [C, d]. */
  setHeads(centres: Float32Array): void {
    const columns = transposed(centres, this.encoders.dimension);
    for (const head of [this.imageHead, this.cloudHead]) if (head instanceof Linear) head.weight.write(columns);
  }
}

/** What a user can watch of self-labelling without any label. */
export interface RelabelReport {
  readonly epoch: number;
  /** share of the objects whose label is believed */
  readonly confident: number;
  /** share of the objects whose label is another than in the epoch before */
  readonly moved: number;
  /** whose clusters hold best, see views.ts */
  readonly view: SelfLabels['view'];
  /** share of the objects whose image and cloud are nearest to the same centre */
  readonly agreement: number;
  readonly clusterSizes: number[];
}

/** A loss of logits [B, C] on labels, i32 [B], with weights of the rows, [B], under self-labelling: shape [1]. */
export type LabelLoss = (logits: Tensor, labels: Tensor, weights?: Tensor) => Tensor;

/** What a caller may watch and steer of robust learning. */
export interface RdlHooks extends StageHooks {
  /** the loss of the pseudo labels; default the one that the configuration names */
  labelLoss?: LabelLoss | undefined;
  /** Called with each epoch's labels under self-labelling. */
  onRelabel?: ((report: RelabelReport) => void) | undefined;
}

function relabelReport(
  epoch: number,
  last: Int32Array,
  { labels: { images, confident }, view, agreement }: SelfLabels,
  clusters: number,
): RelabelReport {
  const share = (isCounted: (index: number) => boolean) =>
    images.reduce((count, _, index) => count + Number(isCounted(index)), 0) / images.length;
  return {
    epoch,
    confident: share((index) => confident[index] === 1),
    moved: share((index) => images[index] !== last[index]),
    view,
    agreement,
    clusterSizes: clusterSizes(images, clusters),
  };
}

/** The loss of pseudo labels that the configuration names. */
function labelLossOf({ rdl: { loss, alpha }, clusters }: Config): LabelLoss {
  if (loss === 'cross-entropy') return softmaxCrossEntropy;
  return (logits, labels, weights) => rcll(logits, labels, { alpha, threshold: 1 / clusters, weights });
}

/**
 * Trains on pseudo labels and returns the model. The encoders start from `warm` if config.rdl.from says so; fresh ones
 * start from pretrained weights if there are any.
 * @throws RomoError `not-finite` if the loss is not finite
 */
export async function trainRdl(
  gpu: Gpu,
  data: TrainingData,
  config: Config,
  labels: PseudoLabels,
  warm: SsmModel,
  hooks: RdlHooks = {},
): Promise<RdlModel> {
  const { rdl } = config;
  const model = new RdlModel(gpu, config, data.pairs.imageShape[2]);
  if (rdl.from === 'fresh' && hooks.pretrained && !hooks.resumeFrom) model.encoders.loadPretrained(hooks.pretrained);
  if (rdl.from === 'warm') model.encoders.loadStateDict(await warm.encoders.stateDict(), 'the warm-up', ['centres.']);
  const { imageHead, cloudHead, temperature } = model;
  const { features } = model.encoders;
  const feeder = new Feeder(gpu, data, config, 'rdl');
  const labelLoss = hooks.labelLoss ?? labelLossOf(config);
  await runStage(gpu, {
    name: 'rdl',
    config,
    stage: rdl,
    feeder,
    model,
    losses(batch) {
      const images = features.embedImages(batch.images);
      const clouds = features.embedClouds(batch.clouds);
      const [weights, believed] = rdl.selfLabels ? [batch.weights, batch.believed] : [];
      const supervision = add(
        labelLoss(scale(imageHead.forward(images), 1 / temperature), batch.imageLabels, weights),
        labelLoss(scale(cloudHead.forward(clouds), 1 / temperature), batch.cloudLabels, weights),
      );
      const invariance = contrastive(concat([images, clouds], 0), { tau: rdl.tau, labels: believed });
      const total = add(scale(supervision, rdl.beta), scale(invariance, 1 - rdl.beta));
      return { total, supervision, invariance };
    },
    relabels: rdl.selfLabels === true,
    async prepareEpoch(epoch, last) {
      if (!rdl.selfLabels) return labels;
      const embeddings = await embedAll(gpu, model.encoders.features, data.pairs, config, data.rotation);
      const found = await relabel(gpu, embeddings, (last ?? labels).images, epoch, config);
      if (epoch === 0) model.setHeads(found.centres);
      hooks.onRelabel?.(relabelReport(epoch, (last ?? labels).images, found, config.clusters));
      return found.labels;
    },
    hooks,
  });
  feeder.dispose();
  return model;
}

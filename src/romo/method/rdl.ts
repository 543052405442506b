/**
 * Stage `rdl`, robust discriminative learning: trains encoders and a head on the warm-up's pseudo labels with RCLL,
 * which ignores samples whose label the model finds unlikely, and pulls pairs together (L_mlm).
 * Source: RoMo, IEEE TIP 2024.
 */
import { concat } from '../../autograd/concat.ts';
import { contrastive, rcll, softmaxCrossEntropy } from '../../autograd/losses.ts';
import { add, scale } from '../../autograd/pointwise.ts';
import { HeadMlp } from '../../model/heads.ts';
import { at, type Init } from '../../model/layers.ts';
import { Module } from '../../model/module.ts';
import type { Gpu } from '../../tensor/device.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Config } from '../config.ts';
import { Encoders } from '../encoders.ts';
import { Feeder, type TrainingData } from './feeder.ts';
import type { SsmModel } from './ssm.ts';
import { runStage, type StageHooks } from './stage.ts';
import type { PseudoLabels } from './stage_state.ts';

/** Encoders and a head d -> hidden -> C, one for both modalities or one for each. */
export class RdlModel extends Module {
  readonly encoders: Encoders;
  readonly imageHead: HeadMlp;
  readonly cloudHead: HeadMlp;

  constructor(
    gpu: Gpu,
    private readonly config: Config,
    imageChannels: number,
  ) {
    super(gpu);
    const init: Init = { seed: config.seed, path: 'rdl' };
    const { clusters, rdl } = config;
    const head = (name: string) =>
      this.child(name, new HeadMlp(gpu, rdl.dimension, rdl.hidden, clusters, at(init, name)));
    this.encoders = this.child('encoders', new Encoders(gpu, config, rdl, imageChannels, at(init, 'encoders')));
    this.imageHead = head(rdl.sharedHead ? 'head' : 'image_head');
    this.cloudHead = rdl.sharedHead ? this.imageHead : head('point_head');
  }

  get temperature(): number {
    return this.config.headTemperature;
  }
}

/** The loss on pseudo labels that the configuration names. */
function labelLoss(logits: Tensor, labels: Tensor, { rdl, clusters }: Config): Tensor {
  if (rdl.loss === 'cross-entropy') return softmaxCrossEntropy(logits, labels);
  return rcll(logits, labels, { alpha: rdl.alpha, threshold: 1 / clusters });
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
  hooks: StageHooks = {},
): Promise<RdlModel> {
  const { rdl } = config;
  const model = new RdlModel(gpu, config, data.pairs.imageShape[2]);
  if (rdl.from === 'fresh' && hooks.pretrained && !hooks.resumeFrom) model.encoders.loadPretrained(hooks.pretrained);
  if (rdl.from === 'warm') model.encoders.loadStateDict(await warm.encoders.stateDict(), 'the warm-up');
  const { encoders, imageHead, cloudHead, temperature } = model;
  const feeder = new Feeder(gpu, data, config, 'rdl');
  await runStage(gpu, {
    name: 'rdl',
    config,
    stage: rdl,
    feeder,
    model,
    losses(batch) {
      const images = encoders.embedImages(batch.images);
      const clouds = encoders.embedClouds(batch.clouds);
      const supervision = add(
        labelLoss(scale(imageHead.forward(images), 1 / temperature), batch.imageLabels, config),
        labelLoss(scale(cloudHead.forward(clouds), 1 / temperature), batch.cloudLabels, config),
      );
      const invariance = contrastive(concat([images, clouds], 0), { tau: rdl.tau });
      const total = add(scale(supervision, rdl.beta), scale(invariance, 1 - rdl.beta));
      return { total, supervision, invariance };
    },
    prepareEpoch: async () => labels,
    hooks,
  });
  feeder.dispose();
  return model;
}

/** How the compared methods train: the same encoders, batches, optimiser and schedule as RoMo's stages. */
import { batchNorm } from '../autograd/batch_norm.ts';
import { fill } from '../autograd/elementary.ts';
import { l2Normalize } from '../autograd/l2_normalize.ts';
import { matmul } from '../autograd/matmul.ts';
import { at, type Init, initialWeights, Linear } from '../model/layers.ts';
import { Module } from '../model/module.ts';
import type { Config } from '../romo/config.ts';
import { type Embeddings, embedAll } from '../romo/embedding.ts';
import { type Embedder, Encoders } from '../romo/encoders.ts';
import { type Again, Feeder } from '../romo/method/feeder.ts';
import { type Batch, runStage, type StepPlan } from '../romo/method/stage.ts';
import type { PseudoLabels } from '../romo/method/stage_state.ts';
import type { Gpu } from '../tensor/device.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Setting, Trained } from './method.ts';

/** The encoders that RoMo's warm-up starts from, with the same weights, and what a method adds to them. */
export class PairModel extends Module implements Embedder {
  readonly encoders: Encoders;
  readonly init: Init;

  constructor({ gpu, data, config, hooks }: Setting) {
    super(gpu);
    this.init = { seed: config.seed, path: 'ssm' };
    const channels = data.pairs.imageShape[2];
    this.encoders = this.child('encoders', new Encoders(gpu, config, config.ssm, channels, at(this.init, 'encoders')));
    if (hooks.pretrained) this.encoders.loadPretrained(hooks.pretrained);
  }

  get dimension(): number {
    return this.encoders.dimension;
  }

  /** images [B, H, W, C] -> unit rows [B, d] */
  embedImages(images: Tensor): Tensor {
    return this.encoders.embedImages(images);
  }

  /** clouds [B, N, 3] -> unit rows [B, d] */
  embedClouds(clouds: Tensor): Tensor {
    return this.encoders.embedClouds(clouds);
  }

  /** A head for both modalities: linear without bias, d -> classes. */
  addHead(classes: number, name = 'head'): Linear {
    return this.child(name, new Linear(this.gpu, this.dimension, classes, at(this.init, name), { bias: false }));
  }

  /** A head whose logits are cosines. */
  addPrototypes(clusters: number): Prototypes {
    const init = at(this.init, 'prototypes');
    return this.child('prototypes', new Prototypes(this.gpu, clusters, this.dimension, init));
  }
}

/** Unit prototypes [C, d], shared by both modalities. */
export class Prototypes extends Module {
  private readonly rows: Tensor;

  constructor(gpu: Gpu, clusters: number, channels: number, init: Init) {
    super(gpu);
    this.rows = this.parameter('weight', initialWeights(gpu, [clusters, channels], channels, 1, init));
  }

  /** unit rows [B, d] -> their cosines with the prototypes [B, C] */
  scores(unit: Tensor): Tensor {
    return matmul(unit, l2Normalize(this.rows), { transposeB: true });
  }

  /** [C, d] */
  read(): Promise<Float32Array> {
    return this.rows.readFloats();
  }
}

/** Each column with mean 0 and variance 1 over the batch, in evaluation by the running statistics. */
class Standardise extends Module {
  private readonly constants: { readonly gamma: Tensor; readonly beta: Tensor };
  private readonly running: { readonly runningMean: Tensor; readonly runningVar: Tensor };

  constructor(gpu: Gpu, channels: number) {
    super(gpu);
    const buffer = (name: string, value: number) => this.buffer(name, fill(gpu, [channels], value));
    this.constants = { gamma: buffer('weight', 1), beta: buffer('bias', 0) };
    this.running = { runningMean: buffer('running_mean', 0), runningVar: buffer('running_var', 1) };
  }

  forward(x: Tensor): Tensor {
    const { gamma, beta } = this.constants;
    return batchNorm(x, gamma, beta, { ...this.running, training: this.training, slope: 1 });
  }
}

/** A pair model with a linear projection to standardised columns on each encoder: what losses of correlations take. */
export class ProjectedModel extends PairModel {
  private readonly projections: readonly { readonly linear: Linear; readonly standardise: Standardise }[];

  constructor(setting: Setting) {
    super(setting);
    this.projections = ['image', 'cloud'].map((name) => ({
      linear: this.addHead(this.dimension, `${name}_projection`),
      standardise: this.child(`${name}_standardise`, new Standardise(this.gpu, this.dimension)),
    }));
  }

  /** unit rows of both views [B, d] -> columns of mean 0 and variance 1 [B, d] */
  project(images: Tensor, clouds: Tensor): [Tensor, Tensor] {
    const [a, b] = [images, clouds].map((rows, i) => {
      const { linear, standardise } = this.projections[i];
      return standardise.forward(linear.forward(rows));
    });
    return [a, b];
  }

  override embedImages(images: Tensor): Tensor {
    const { linear, standardise } = this.projections[0];
    return l2Normalize(standardise.forward(linear.forward(super.embedImages(images))));
  }

  override embedClouds(clouds: Tensor): Tensor {
    const { linear, standardise } = this.projections[1];
    return l2Normalize(standardise.forward(linear.forward(super.embedClouds(clouds))));
  }
}

/** What a method says about its steps. */
export interface Steps {
  /** `all`: the epochs of both of RoMo's stages, with the hyper-parameters of `ssm`; or those of one stage. Default all. */
  readonly epochs?: 'all' | 'ssm' | 'rdl';
  /** what else a batch holds */
  readonly again?: Again;
  /**
   * The loss of a batch, of shape [1], perhaps with tensors for `after`.
   * @param images unit rows of the encoders [B, d]
   * @param clouds likewise
   */
  loss(images: Tensor, clouds: Tensor, batch: Batch): Tensor | { total: Tensor; kept: readonly Tensor[] };
  /** queued after the optimiser's step */
  after?(kept: readonly Tensor[]): void;
  /** before each epoch: the labels that its batches carry */
  labels?(epoch: number): Promise<PseudoLabels>;
}

const SHOWN = { all: 'training', ssm: 'first stage', rdl: 'second stage' };

/** The configuration of a method without stages: the epochs of both, as one. */
export function inOneStage(config: Config): Config {
  return { ...config, ssm: { ...config.ssm, epochs: config.ssm.epochs + config.rdl.epochs } };
}

/** Trains a model by the steps. @throws RomoError `not-finite` if the loss is not finite */
export async function trainPairs(setting: Setting, model: PairModel, steps: Steps): Promise<void> {
  const { gpu, data, hooks } = setting;
  const { epochs = 'all', again = {} } = steps;
  const config = epochs === 'all' ? inOneStage(setting.config) : setting.config;
  const name = epochs === 'rdl' ? 'rdl' : 'ssm';
  const { pairs } = data;
  const none = { images: new Int32Array(pairs.length), clouds: new Int32Array(pairs.length) };
  const feeder = new Feeder(gpu, data, config, name, again);
  const plan: StepPlan = {
    name,
    config,
    stage: config[name],
    feeder,
    model,
    losses(batch) {
      const images = model.encoders.embedImages(batch.images);
      const clouds = model.encoders.embedClouds(batch.clouds);
      const loss = steps.loss(images, clouds, batch);
      const { total, kept } = 'total' in loss ? loss : { total: loss, kept: [] };
      return { total, supervision: total, invariance: total, kept };
    },
    after: (_, kept) => steps.after?.(kept),
    prepareEpoch: async (epoch) => steps.labels?.(epoch) ?? none,
    hooks: { ...hooks, onStep: (report) => hooks.onStep?.({ ...report, stage: SHOWN[epochs] }) },
  };
  try {
    await runStage(gpu, plan);
  } finally {
    feeder.dispose();
  }
}

/** Embeds the training pairs with a model as it is. */
export function embedTraining({ gpu, data, config }: Setting, model: Embedder): Promise<Embeddings> {
  return embedAll(gpu, model, data.pairs, config, data.rotation);
}

/** A trained model, ready to embed. */
export function trained({ gpu, data, config }: Setting, model: Module & Embedder): Trained {
  return {
    embed: (pairs) => embedAll(gpu, model, pairs, config, data.rotation),
    dispose: () => model.dispose(),
  };
}

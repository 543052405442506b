/** The image encoder and the cloud encoder into the common space. */

import { l2Normalize } from '../autograd/l2_normalize.ts';
import { matmul, product } from '../autograd/matmul.ts';
import { add, scale } from '../autograd/pointwise.ts';
import { reshape } from '../autograd/reshape.ts';
import { softmax } from '../autograd/softmax.ts';
import type { ConvertedWeights } from '../model/convert.ts';
import { Dgcnn } from '../model/dgcnn.ts';
import { at, type Init, Linear } from '../model/layers.ts';
import { Module } from '../model/module.ts';
import { PointNet } from '../model/pointnet.ts';
import { ResNet } from '../model/resnet.ts';
import type { Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Config, type RdlConfig, type SsmConfig, temperatureOfRdl } from './config.ts';
import { IMAGENET } from './preparation.ts';

/** What embeds both views of an object: encoders, perhaps with layers on top of them. */
export type Embedder = Pick<Encoders, 'dimension' | 'training' | 'setTraining' | 'embedImages' | 'embedClouds'>;

/**
 * An image encoder and a cloud encoder whose outputs are unit vectors of one length.
 *
 * With config.rdl.pull a, embeddings are drawn to the centres W [d, C] of the clusters, so that an object is nearer to those of its
 * own cluster: v <- normalize(v + a p W^T), p = softmax(v W / temperature). Source: the update of a Hopfield network with
 * continuous states (Ramsauer et al. 2021), whose patterns are the centres. Training sees `features`, without it.
 */
export class Encoders extends Module {
  readonly image: ResNet;
  readonly cloud: Dgcnn | PointNet;
  readonly dimension: number;
  /** d -> C without bias, whose columns are the centres; null without pull */
  readonly centres: Linear | null;
  /** [C, C] and [C]: x -> x scale + shift; null if images are used as they are */
  private readonly normalization: { readonly scale: Tensor; readonly shift: Tensor } | null;

  /**
   * @param imageChannels 1 for grey, 3 for colour
   * @throws RomoError `option` if ImageNet's normalisation meets images without 3 channels
   */
  constructor(
    gpu: Gpu,
    private readonly config: Config,
    stage: SsmConfig | RdlConfig,
    imageChannels: number,
    init: Init,
  ) {
    super(gpu);
    this.dimension = stage.dimension;
    const { resnet: depth, resnetWidth: width } = config;
    const resnet = { inChannels: imageChannels, outChannels: stage.dimension, depth, width };
    this.image = this.child('image', new ResNet(gpu, resnet, at(init, 'image')));
    const options = { outChannels: stage.dimension, widths: config.pointWidths };
    const cloud =
      config.pointEncoder === 'dgcnn'
        ? new Dgcnn(gpu, { ...options, k: stage.k }, at(init, 'points'))
        : new PointNet(gpu, options, at(init, 'points'));
    this.cloud = this.child('points', cloud); // the name in model files
    const ofCentres = at(init, 'centres');
    this.centres =
      'pull' in stage && stage.pull
        ? this.child('centres', new Linear(gpu, stage.dimension, config.clusters, ofCentres, { bias: false }))
        : null;
    this.normalization = config.imageNormalization === 'imagenet' ? imagenetNormalization(gpu, imageChannels) : null;
  }

  /** images [B, H, W, C], 0..1 -> unit rows [B, d] */
  embedImages(images: Tensor): Tensor {
    return this.pulled(this.features.embedImages(images));
  }

  /** clouds [B, N, 3] -> unit rows [B, d] */
  embedClouds(clouds: Tensor): Tensor {
    return this.pulled(this.features.embedClouds(clouds));
  }

  /** The embeddings before they are drawn to the centres: these have gradients. */
  get features(): Embedder {
    const { dimension, training } = this;
    return {
      dimension,
      training,
      setTraining: (training) => this.setTraining(training),
      embedImages: (images) => l2Normalize(this.image.forward(this.normalized(images))),
      embedClouds: (clouds) => l2Normalize(this.cloud.forward(clouds)),
    };
  }

  private pulled(rows: Tensor): Tensor {
    if (!this.centres) return rows;
    const { weight } = this.centres;
    const shares = softmax(product(rows, weight, {}), temperatureOfRdl(this.config));
    const towards = product(shares, weight, { transposeB: true });
    return l2Normalize(add(rows, scale(towards, this.config.rdl.pull ?? 0)));
  }

  private normalized(images: Tensor): Tensor {
    if (!this.normalization) return images;
    const { scale, shift } = this.normalization;
    const pixels = reshape(images, [images.size / 3, 3]);
    return reshape(add(matmul(pixels, scale), shift), images.shape);
  }

  /** Loads weights that were trained elsewhere; layers of the head that they lack keep their initial weights. */
  loadPretrained({ image, cloud }: Pretrained): void {
    if (image) this.image.loadStateDict(image.weights.state, image.file, image.weights.head);
    if (cloud) {
      const { network, state, head } = cloud.weights;
      // DGCNN's last convolution is as wide as the embedding, which a stage chooses.
      const last = network.kind === 'dgcnn' ? `conv${network.widths.length + 1}.` : '';
      const fits = network.kind === 'dgcnn' && network.outChannels === this.dimension;
      const own = fits ? state : Object.fromEntries(Object.entries(state).filter(([key]) => !key.startsWith(last)));
      this.cloud.loadStateDict(own, cloud.file, fits ? head : [...head, last]);
    }
  }

  override dispose(): void {
    super.dispose();
    this.normalization?.scale.dispose();
    this.normalization?.shift.dispose();
  }
}

/** Pretrained weights that encoders start from. */
export interface Pretrained {
  readonly image?: { readonly file: string; readonly weights: ConvertedWeights } | undefined;
  readonly cloud?: { readonly file: string; readonly weights: ConvertedWeights } | undefined;
}

function imagenetNormalization(gpu: Gpu, channels: number) {
  if (channels !== 3) {
    throw new RomoError(
      'option',
      `ImageNet weights need images of 3 channels, not ${channels}`,
      'Use images of 3 channels.',
    );
  }
  const scale = new Float32Array(9);
  IMAGENET.deviation.forEach((deviation, channel) => {
    scale[4 * channel] = 1 / deviation;
  });
  const shift = IMAGENET.mean.map((mean, channel) => -mean / IMAGENET.deviation[channel]);
  return { scale: gpu.tensor(scale, [3, 3]).keep(), shift: gpu.tensor(Float32Array.from(shift), [3]).keep() };
}

/** The two encoders into the common space, and embedding whole data sets with them. */

import { l2Normalize } from '../autograd/l2_normalize.ts';
import { augmentCloud, augmentImage } from '../data/augment.ts';
import type { CloudRotation, PairedData } from '../data/types.ts';
import { Dgcnn } from '../model/dgcnn.ts';
import { at, type Init } from '../model/layers.ts';
import { Module } from '../model/module.ts';
import { PointNet } from '../model/pointnet.ts';
import { ResNet } from '../model/resnet.ts';
import type { Gpu } from '../tensor/device.ts';
import { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Config, StageConfig } from './config.ts';

/** An image encoder and a point encoder whose outputs are unit vectors of one length. */
export class Encoders extends Module {
  readonly image: ResNet;
  readonly points: Dgcnn | PointNet;
  readonly dimension: number;

  /** @param imageChannels 1 for grey, 3 for colour */
  constructor(gpu: Gpu, config: Config, stage: StageConfig, imageChannels: number, init: Init) {
    super(gpu);
    this.dimension = stage.dimension;
    const { resnet: depth, resnetWidth: width } = config;
    const resnet = { inChannels: imageChannels, outChannels: stage.dimension, depth, width };
    this.image = this.child('image', new ResNet(gpu, resnet, at(init, 'image')));
    const options = { outChannels: stage.dimension, widths: config.pointWidths };
    const points =
      config.pointEncoder === 'dgcnn'
        ? new Dgcnn(gpu, { ...options, k: stage.k }, at(init, 'points'))
        : new PointNet(gpu, options, at(init, 'points'));
    this.points = this.child('points', points);
  }

  /** images [B, H, W, C] -> unit rows [B, d] */
  embedImages(images: Tensor): Tensor {
    return l2Normalize(this.image.forward(images));
  }

  /** clouds [B, N, 3] -> unit rows [B, d] */
  embedPoints(clouds: Tensor): Tensor {
    return l2Normalize(this.points.forward(clouds));
  }
}

/** Both views of a data set in the common space. */
export interface Embeddings {
  /** [objects, d], unit rows, one per image */
  images: Float32Array;
  /** the same of the clouds */
  points: Float32Array;
  dimension: number;
}

/** Embeds all pairs as they are, without augmentation, with the running statistics of batch norm. */
export async function embedAll(
  gpu: Gpu,
  encoders: Encoders,
  pairs: PairedData,
  config: Pick<Config, 'batch' | 'points' | 'seed'>,
  rotation: CloudRotation,
): Promise<Embeddings> {
  const { dimension } = encoders;
  const images = new Float32Array(pairs.length * dimension);
  const points = new Float32Array(pairs.length * dimension);
  const wasTraining = encoders.training;
  encoders.setTraining(false);
  let next = plainBatch(pairs, 0, config, rotation);
  for (let start = 0; start < pairs.length; start += config.batch) {
    const batch = await next;
    using _scope = gpu.scope();
    const imageRows = encoders.embedImages(gpu.tensor(batch.images, [batch.count, ...pairs.imageShape]));
    const pointRows = encoders.embedPoints(gpu.tensor(batch.clouds, [batch.count, config.points, 3]));
    const reading = Promise.all([imageRows.readFloats(), pointRows.readFloats()]);
    next = plainBatch(pairs, start + config.batch, config, rotation); // while the GPU works
    next.catch(() => {}); // shows in the next round
    const [imageValues, pointValues] = await reading;
    images.set(imageValues, start * dimension);
    points.set(pointValues, start * dimension);
  }
  encoders.setTraining(wasTraining);
  return { images, points, dimension };
}

/** Up to a batch of pairs from `start` on; none behind the last. */
async function plainBatch(
  pairs: PairedData,
  start: number,
  config: Pick<Config, 'batch' | 'points' | 'seed'>,
  rotation: CloudRotation,
): Promise<{ count: number; images: Float32Array; clouds: Float32Array }> {
  const count = Math.max(0, Math.min(config.batch, pairs.length - start));
  const indices = Array.from({ length: count }, (_, i) => start + i);
  const samples = await pairs.load(indices);
  const imageSize = pairs.imageShape[0] * pairs.imageShape[1] * pairs.imageShape[2];
  const images = new Float32Array(count * imageSize);
  const clouds = new Float32Array(count * config.points * 3);
  indices.forEach((index, i) => {
    const random = new Random(config.seed, 'plain', index);
    const image = images.subarray(i * imageSize, (i + 1) * imageSize);
    augmentImage(samples[i].image, pairs.imageShape, 'none', false, random, image);
    const cloud = clouds.subarray(i * config.points * 3, (i + 1) * config.points * 3);
    augmentCloud(samples[i].cloud, config.points, 'none', rotation, random, cloud);
  });
  return { count, images, clouds };
}

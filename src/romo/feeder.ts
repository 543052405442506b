/** Feeds training: shuffled, augmented batches, written into tensors that stay the same from step to step. */
import { augmentCloud, augmentImage } from '../data/augment.ts';
import type { CloudRotation, PairedData } from '../data/types.ts';
import type { Gpu } from '../tensor/device.ts';
import { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Config } from './config.ts';

/** What training may see of a data set: pairs, and how they may be augmented. No labels. */
export interface TrainingData {
  readonly pairs: PairedData;
  readonly mirror: boolean;
  readonly rotation: CloudRotation;
}

export class Feeder {
  readonly images: Tensor; // [B, H, W, C]
  readonly clouds: Tensor; // [B, N, 3]
  readonly ids: Tensor; // i32 [B]: index of the sample
  /** pseudo labels of the batch, i32 [B], one per modality */
  readonly imageLabels: Tensor;
  readonly pointLabels: Tensor;
  readonly stepsPerEpoch: number;
  private readonly imageValues: Float32Array;
  private readonly cloudValues: Float32Array;

  /** @param stage names the random streams, so that the stages differ */
  constructor(
    gpu: Gpu,
    private readonly data: TrainingData,
    private readonly config: Config,
    private readonly stage: string,
  ) {
    const { batch, points } = config;
    this.images = gpu.zeros([batch, ...data.pairs.imageShape]).keep();
    this.clouds = gpu.zeros([batch, points, 3]).keep();
    this.ids = gpu.zeros([batch], 'i32').keep();
    this.imageLabels = gpu.zeros([batch], 'i32').keep();
    this.pointLabels = gpu.zeros([batch], 'i32').keep();
    this.imageValues = new Float32Array(this.images.size);
    this.cloudValues = new Float32Array(this.clouds.size);
    this.stepsPerEpoch = Math.floor(data.pairs.length / batch);
  }

  /** The batches of an epoch: a fresh order each time, the incomplete last batch left out. */
  *batches(epoch: number): Generator<Int32Array> {
    const { batch, seed } = this.config;
    const order = new Random(seed, this.stage, 'order', epoch).permutation(this.data.pairs.length);
    for (let step = 0; step < this.stepsPerEpoch; step++) {
      yield Int32Array.from(order.subarray(step * batch, (step + 1) * batch));
    }
  }

  /** Augments the batch, drawn by (seed, stage, epoch, sample), and uploads it with its pseudo labels. */
  load(epoch: number, ids: Int32Array, imageLabels: Int32Array | null, pointLabels: Int32Array | null): void {
    const { pairs, mirror, rotation } = this.data;
    const { seed, augment, points } = this.config;
    const imageSize = this.imageValues.length / ids.length;
    ids.forEach((id, i) => {
      const image = this.imageValues.subarray(i * imageSize, (i + 1) * imageSize);
      const imageRandom = new Random(seed, this.stage, 'image', epoch, id);
      augmentImage(pairs.image(id), pairs.imageShape, augment, mirror, imageRandom, image);
      const cloud = this.cloudValues.subarray(i * points * 3, (i + 1) * points * 3);
      augmentCloud(pairs.cloud(id), points, augment, rotation, new Random(seed, this.stage, 'cloud', epoch, id), cloud);
    });
    this.images.write(this.imageValues);
    this.clouds.write(this.cloudValues);
    this.ids.write(ids);
    if (imageLabels) this.imageLabels.write(ids.map((id) => imageLabels[id]));
    if (pointLabels) this.pointLabels.write(ids.map((id) => pointLabels[id]));
  }

  dispose(): void {
    for (const tensor of [this.images, this.clouds, this.ids, this.imageLabels, this.pointLabels]) tensor.dispose();
  }
}

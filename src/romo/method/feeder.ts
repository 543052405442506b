/**
 * Feeds training: shuffled, augmented batches, written into tensors that stay the same from step to step. While a step
 * runs, the batch of the next one is read, decoded and augmented.
 */
import { shown } from '../../data/showing.ts';
import type { CloudRotation, PairedData, Sample, Showing } from '../../data/types.ts';
import type { Gpu } from '../../tensor/device.ts';
import { Random } from '../../tensor/random.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Config } from '../config.ts';
import type { PseudoLabels } from './stage_state.ts';

/** The part of a data set that training may see: pairs, and how they may be augmented. No labels. */
export interface TrainingData {
  readonly pairs: PairedData;
  readonly mirror: boolean;
  readonly rotation: CloudRotation;
}

/** What a batch holds besides one augmentation of each of its objects. */
export interface Again {
  /** another augmentation of each image */
  readonly images?: boolean;
  /** another augmentation of each cloud */
  readonly clouds?: boolean;
  /** other objects to show instead, one per object of the batch; default the same */
  of?(epoch: number, indices: Int32Array): Int32Array;
}

export class Feeder {
  readonly images: Tensor; // [B, H, W, C]
  /** the same images, augmented another time; null if the stage does not use them */
  readonly imagesAgain: Tensor | null;
  readonly clouds: Tensor; // [B, N, 3]
  /** likewise */
  readonly cloudsAgain: Tensor | null;
  readonly indices: Tensor; // i32 [B]: of the samples in the data set
  /** pseudo labels of the batch, i32 [B], one per modality */
  readonly imageLabels: Tensor;
  readonly cloudLabels: Tensor;
  /**
   * weight of each object in the loss of its label, f32 [B]; 0 if the label is not confident. The mean over all objects
   * is 1.
   */
  readonly weights: Tensor;
  /** the confident label of both views of an object, i32 [B]; -1 if there is none */
  readonly believed: Tensor;
  readonly stepsPerEpoch: number;
  private readonly imageValues: Float32Array;
  private readonly cloudValues: Float32Array;
  private readonly imageAgainValues: Float32Array | null;
  private readonly cloudAgainValues: Float32Array | null;
  /** the batch in `imageValues` and `cloudValues`, perhaps still being prepared */
  private prepared: { readonly epoch: number; readonly indices: Int32Array; readonly done: Promise<void> } | null =
    null;

  /**
   * @param stage names the random streams, so that the stages differ
   * @param again default: in `ssm` what config.ssm.within and withinClouds say
   */
  constructor(
    gpu: Gpu,
    private readonly data: TrainingData,
    private readonly config: Config,
    private readonly stage: 'ssm' | 'rdl',
    private readonly again: Again = stage === 'ssm'
      ? { images: Boolean(config.ssm.within), clouds: Boolean(config.ssm.withinClouds) }
      : {},
  ) {
    const { batch, points } = config;
    this.images = gpu.zeros([batch, ...data.pairs.imageShape]).keep();
    this.imagesAgain = again.images ? gpu.zeros(this.images.shape).keep() : null;
    this.clouds = gpu.zeros([batch, points, 3]).keep();
    this.cloudsAgain = again.clouds ? gpu.zeros(this.clouds.shape).keep() : null;
    this.indices = gpu.zeros([batch], 'i32').keep();
    this.imageLabels = gpu.zeros([batch], 'i32').keep();
    this.cloudLabels = gpu.zeros([batch], 'i32').keep();
    this.weights = gpu.tensor(new Float32Array(batch).fill(1), [batch]).keep();
    this.believed = gpu.tensor(new Int32Array(batch).fill(-1), [batch]).keep();
    this.imageValues = new Float32Array(this.images.size);
    this.cloudValues = new Float32Array(this.clouds.size);
    this.imageAgainValues = this.imagesAgain && new Float32Array(this.imagesAgain.size);
    this.cloudAgainValues = this.cloudsAgain && new Float32Array(this.cloudsAgain.size);
    this.stepsPerEpoch = Math.floor(data.pairs.length / batch);
  }

  /** The batches of an epoch as sample indices, in an order of its own; an incomplete last batch is left out. */
  *batches(epoch: number): Generator<Int32Array> {
    const order = this.order(epoch);
    for (let step = 0; step < this.stepsPerEpoch; step++) yield this.batchOf(order, step);
  }

  private order(epoch: number): Uint32Array {
    return new Random(this.config.seed, this.stage, 'order', epoch).permutation(this.data.pairs.length);
  }

  private batchOf(order: Uint32Array, step: number): Int32Array {
    const { batch } = this.config;
    return Int32Array.from(order.subarray(step * batch, (step + 1) * batch));
  }

  /**
   * Uploads the batch, augmented, with its pseudo labels, and starts preparing the next one.
   * @param indices one of `batches(epoch)`
   */
  async load(epoch: number, indices: Int32Array, labels: PseudoLabels | null): Promise<void> {
    const { prepared } = this;
    if (prepared?.epoch === epoch && `${prepared.indices}` === `${indices}`) {
      await prepared.done;
    } else {
      await prepared?.done.catch(() => {}); // of a batch that is not wanted any more
      await this.prepare(epoch, indices);
    }
    this.images.write(this.imageValues);
    this.clouds.write(this.cloudValues);
    if (this.imageAgainValues) this.imagesAgain?.write(this.imageAgainValues);
    if (this.cloudAgainValues) this.cloudsAgain?.write(this.cloudAgainValues);
    this.indices.write(indices);
    if (labels) this.writeLabels(indices, labels);
    this.prepareNext(epoch, indices);
  }

  private writeLabels(indices: Int32Array, { images, clouds, confident }: PseudoLabels): void {
    this.imageLabels.write(indices.map((index) => images[index]));
    this.cloudLabels.write(indices.map((index) => clouds[index]));
    if (!confident) return;
    const weight = confident.length / confident.reduce((sum, one) => sum + one, 0);
    this.weights.write(Float32Array.from(indices, (index) => weight * confident[index]));
    this.believed.write(indices.map((index) => (confident[index] ? images[index] : -1)));
  }

  /** Starts preparing the next batch, which may be the first of the next epoch. */
  private prepareNext(epoch: number, indices: Int32Array): void {
    const order = this.order(epoch);
    const step = order.indexOf(indices[0]) / indices.length + 1;
    const isLast = step === this.stepsPerEpoch;
    this.prepared = null;
    if (isLast && epoch + 1 === this.config[this.stage].epochs) return;
    const next = isLast
      ? { epoch: epoch + 1, indices: this.batchOf(this.order(epoch + 1), 0) }
      : { epoch, indices: this.batchOf(order, step) };
    // Only once the step that is about to be queued has started.
    const done = new Promise((resolve) => setTimeout(resolve)).then(() => this.prepare(next.epoch, next.indices));
    done.catch(() => {}); // thrown when the batch is requested
    this.prepared = { ...next, done };
  }

  /** Reads and augments the batch; the random draws depend on (seed, stage, epoch, sample). */
  private async prepare(epoch: number, indices: Int32Array): Promise<void> {
    const { pairs, mirror, rotation } = this.data;
    const { seed, augment, points, sampling } = this.config;
    const plain = pairs.show ? [] : await pairs.load(indices);
    const show = async (stage: string, of: Int32Array): Promise<Sample[]> => {
      const showing: Showing = { seed, stage, epoch, strength: augment, mirror, rotation, points, sampling };
      if (pairs.show) return pairs.show(of, showing);
      const samples = of === indices ? plain : await pairs.load(of);
      return samples.map((sample, i) => shown(sample, of[i], pairs.imageShape, showing));
    };
    (await show(this.stage, indices)).forEach(({ image, cloud }, i) => {
      this.imageValues.set(image, i * image.length);
      this.cloudValues.set(cloud, i * cloud.length);
    });
    const { again, imageAgainValues, cloudAgainValues } = this;
    if (!imageAgainValues && !cloudAgainValues) return;
    const others = again.of?.(epoch, indices) ?? indices;
    (await show(`${this.stage} again`, others)).forEach(({ image, cloud }, i) => {
      imageAgainValues?.set(image, i * image.length);
      cloudAgainValues?.set(cloud, i * cloud.length);
    });
  }

  /** The ids of these samples in the data set. */
  names(indices: ArrayLike<number>): string {
    return Array.from(indices, (index) => this.data.pairs.id(index)).join(' ');
  }

  dispose(): void {
    const { images, imagesAgain, clouds, indices, imageLabels, cloudLabels, weights, believed } = this;
    for (const tensor of [images, clouds, indices, imageLabels, cloudLabels, weights, believed]) tensor.dispose();
    imagesAgain?.dispose();
    this.cloudsAgain?.dispose();
  }
}

/**
 * Embedding with trained encoders: whole data sets, and arrays of images or clouds, in portions that bound the memory.
 */
import { augmentCloud, augmentImage } from '../data/augment.ts';
import type { CloudRotation, PairedData } from '../data/types.ts';
import type { Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { Random } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Config } from './config.ts';
import type { Embedder, Encoders } from './encoders.ts';

/** Both views of a data set in the common space. */
export interface Embeddings {
  /** [objects, d], unit rows, one per image */
  images: Float32Array;
  /** the same for the clouds */
  clouds: Float32Array;
  dimension: number;
}

/** Embeds all pairs without augmentation, with batch norm's running statistics. */
export async function embedAll(
  gpu: Gpu,
  encoders: Embedder,
  pairs: PairedData,
  config: Pick<Config, 'batch' | 'points' | 'sampling' | 'seed'>,
  rotation: CloudRotation,
): Promise<Embeddings> {
  const { dimension } = encoders;
  const images = new Float32Array(pairs.length * dimension);
  const clouds = new Float32Array(pairs.length * dimension);
  const wasTraining = encoders.training;
  encoders.setTraining(false);
  try {
    let next = plainBatch(pairs, 0, config, rotation);
    for (let start = 0; start < pairs.length; start += config.batch) {
      const { count, ...batch } = await next;
      const embedded = () => {
        using _scope = gpu.scope(); // ends once the reads are queued, before anyone else makes tensors
        const imageRows = encoders.embedImages(gpu.tensor(batch.images, [count, ...pairs.imageShape]));
        const cloudRows = encoders.embedClouds(gpu.tensor(batch.clouds, [count, config.points, 3]));
        return Promise.all([imageRows.readFloats(), cloudRows.readFloats()]);
      };
      const reading = embedded();
      next = plainBatch(pairs, start + config.batch, config, rotation); // while the GPU works
      next.catch(() => {}); // thrown in the next round
      const [imageValues, cloudValues] = await reading;
      images.set(imageValues, start * dimension);
      clouds.set(cloudValues, start * dimension);
    }
  } finally {
    encoders.setTraining(wasTraining);
  }
  return { images, clouds, dimension };
}

/** At most a batch of pairs, starting at `start`; empty after the last pair. */
async function plainBatch(
  pairs: PairedData,
  start: number,
  config: Pick<Config, 'batch' | 'points' | 'sampling' | 'seed'>,
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
    augmentCloud(samples[i].cloud, config, 'none', rotation, random, cloud);
  });
  return { count, images, clouds };
}

/** Rows per batch: bounds the memory that a large gallery takes. */
const ROWS = 50;

/** Encoders in evaluation mode, and the sizes of their inputs. */
export interface ReadyEncoders {
  readonly encoders: Encoders;
  readonly config: Pick<Config, 'points'>;
  /** height, width and channels of their images */
  readonly imageShape: readonly [number, number, number];
}

/**
 * Embeds images in batches: unit rows [n, d].
 * @param images [n, H, W, C], values 0..1
 * @throws RomoError `shape` if they are not one or more whole images
 */
export function embedImages({ encoders, imageShape }: ReadyEncoders, images: Float32Array): Promise<Float32Array> {
  return portions(encoders, images, imageShape, (x) => encoders.embedImages(x));
}

/**
 * Embeds clouds in batches: unit rows [n, d].
 * @param clouds [n, config.points, 3]
 * @throws RomoError `shape` if they are not one or more whole clouds
 */
export function embedClouds({ encoders, config }: ReadyEncoders, clouds: Float32Array): Promise<Float32Array> {
  return portions(encoders, clouds, [config.points, 3], (x) => encoders.embedClouds(x));
}

async function portions(
  { gpu, dimension }: Encoders,
  values: Float32Array,
  shape: readonly number[],
  embed: (x: Tensor) => Tensor,
): Promise<Float32Array> {
  const size = shape.reduce((product, length) => product * length, 1);
  const count = values.length / size;
  if (!Number.isInteger(count) || count < 1) {
    throw new RomoError(
      'shape',
      `embed: ${values.length} numbers do not form whole items of shape [${shape}]`,
      'Pass one or more items of that shape.',
    );
  }
  const rows = new Float32Array(count * dimension);
  for (let start = 0; start < count; start += ROWS) {
    const portion = Math.min(ROWS, count - start);
    const x = values.subarray(start * size, (start + portion) * size);
    const read = (): Promise<Float32Array> => {
      using _scope = gpu.scope(); // ends once the readback is queued, so that tensors return to the pool early
      return embed(gpu.tensor(x, [portion, ...shape])).readFloats();
    };
    rows.set(await read(), start * dimension);
  }
  return rows;
}

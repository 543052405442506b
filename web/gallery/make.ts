/**
 * `npm run gallery`: trains the small model of the search page on the built-in shapes, drawn and shaded, and writes
 * web/search/model.safetensors and web/search/gallery.safetensors. About fifteen minutes on two cores; the results are committed.
 */
import { writeFileSync } from 'node:fs';
import {
  type Config,
  embedAll,
  encodeModels,
  encodeSafetensors,
  type LabelledDataSet,
  loadEncoders,
  meanAveragePrecision,
  openDevice,
  PRESETS,
  Random,
  run,
} from 'romo';
import { fromBytes, toBytes } from '../../src/data/bytes.ts';
import { turn } from '../../src/data/shapes/mesh.ts';
import { randomView, rasterise } from '../../src/data/shapes/rasterise.ts';
import { samplePoints } from '../../src/data/shapes/sampling.ts';
import { makeShape, SHAPE_CLASSES, shapeClass } from '../../src/data/shapes/shapes.ts';
import { embedGallery, openGallery } from '../search/gallery.ts';
import { sketch } from './sketch.ts';

const config: Config = {
  ...PRESETS.small,
  train: 1200,
  test: 300,
  resnetWidth: 12,
  pointWidths: [24, 24, 48, 64],
  ssm: { ...PRESETS.small.ssm, epochs: 20, dimension: 64 },
  rdl: { ...PRESETS.small.rdl, epochs: 12, dimension: 64 },
};
if (process.argv.includes('--quick')) {
  Object.assign(config, { train: 200, test: 100 });
  config.ssm.epochs = config.rdl.epochs = 2;
}

/** Pictures per object, shown in turn: an object is drawn anew in each epoch. */
const PICTURES = 10;
const SHADED = 2;

/** The built-in shapes with several pictures each, most of them drawings. */
function drawnSplit(split: 'train' | 'test', length: number, pictures: number, shaded: number) {
  const images: Uint8Array[][] = [];
  const clouds: Float32Array[] = [];
  const values = new Int32Array(length);
  const shown = new Int32Array(length);
  const { seed, imageSize } = config;
  for (let index = 0; index < length; index++) {
    values[index] = shapeClass(seed, split, index);
    const random = new Random(seed, 'drawn', split, index);
    const shape = makeShape(values[index], random);
    const front = random.uniform(0, 360);
    const mesh = turn(shape, 'z', front);
    images.push(
      Array.from({ length: pictures }, (_, i) =>
        toBytes(i < shaded ? rasterise(mesh, randomView(random), imageSize) : sketch(mesh, front, imageSize, random)),
      ),
    );
    clouds.push(samplePoints(mesh, 1024, random));
  }
  return {
    pairs: {
      name: `drawn shapes ${split}`,
      length,
      imageShape: [imageSize, imageSize, 1] as const,
      id: (index: number) => `${split}/${index}`,
      load: async (indices: ArrayLike<number>) =>
        Array.from(indices, (index) => ({
          image: fromBytes(images[index][shown[index]++ % pictures]),
          cloud: clouds[index],
        })),
    },
    labels: { classNames: SHAPE_CLASSES, values },
  };
}

const train = drawnSplit('train', config.train, PICTURES, SHADED);
const test = drawnSplit('test', config.test, 1, 0);
const shadedTest = drawnSplit('test', config.test, 1, 1);
const data: LabelledDataSet = {
  name: 'drawn shapes',
  train,
  test,
  mirror: true,
  rotation: { axis: 2, maxDegrees: 180 },
};
const gpu = await openDevice();
try {
  const { models, result } = await run(gpu, data, config, {
    onStep: ({ stage, step, steps, loss }) => {
      if (step % 100 === 0) console.log(`${stage} ${step} of ${steps}: ${loss.toFixed(3)}`);
    },
    onWarning: console.log,
  });
  const shaded = await embedAll(gpu, models.rdl.encoders, shadedTest.pairs, config, data.rotation);
  const { values } = shadedTest.labels;
  const shadedMap = meanAveragePrecision(shaded.images, values, shaded.points, values, shaded.dimension);
  console.log(JSON.stringify({ ...result.stages, shadedMap, ...result.pseudoLabelAccuracy }, null, 1));
  const figure = (value: number) => value.toFixed(3);
  const bytes = await encodeModels({ 'rdl.encoders': models.rdl.encoders }, config, {
    data: 'built-in shapes, drawn and shaded',
    'mAP of drawings asking for clouds': figure(result.stages.rdl.imageToPoints),
    'mAP of shaded pictures asking for clouds': figure(shadedMap),
  });
  writeFileSync('web/search/model.safetensors', bytes);
  const loaded = loadEncoders(gpu, bytes);
  const { images, clouds } = await embedGallery(loaded, await openGallery());
  const shape = [images.length / loaded.encoders.dimension, loaded.encoders.dimension];
  const gallery = encodeSafetensors({
    images: { shape, dtype: 'f32', data: images },
    clouds: { shape, dtype: 'f32', data: clouds },
  });
  writeFileSync('web/search/gallery.safetensors', gallery);
  console.log(`model ${bytes.length} bytes, gallery ${gallery.length} bytes`);
} finally {
  gpu.close();
}

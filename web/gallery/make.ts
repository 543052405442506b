/**
 * `npm run gallery`: trains the search page's small model on shapes and digits, drawn and shaded, and writes
 * web/search/model.safetensors and web/search/gallery.safetensors (committed). Takes 13 minutes on one core.
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
  withRecipe,
} from 'romo';
import { fromBytes, toBytes } from 'romo/data';
import { embedGallery, openGallery } from '../search/gallery.ts';
import { KINDS, makeObject } from './objects.ts';

const small: Config = {
  ...PRESETS.small,
  train: 2000,
  test: 400,
  clusters: KINDS.length,
  resnetWidth: 12,
  pointWidths: [24, 24, 48, 64],
  ssm: { ...PRESETS.small.ssm, epochs: 20, dimension: 64 },
  rdl: { ...PRESETS.small.rdl, epochs: 12, dimension: 64 },
};
const config = withRecipe(small, 'robust');
if (process.argv.includes('--quick')) {
  Object.assign(config, { train: 200, test: 100 });
  config.ssm.epochs = config.rdl.epochs = 2;
}

/** Pictures per object, shown in turn: an object is drawn again in each epoch. */
const PICTURES = 10;
const SHADED = 2;

/** Objects of all kinds in turn, with several pictures each, most of them drawings. */
function drawnSplit(split: 'train' | 'test', length: number, pictures: number, shaded: number) {
  const images: Uint8Array[][] = [];
  const clouds: Float32Array[] = [];
  const values = Int32Array.from({ length }, (_, index) => index % KINDS.length);
  const shown = new Int32Array(length);
  const { seed, imageSize } = config;
  values.forEach((kind, index) => {
    const random = new Random(seed, 'drawn', split, index);
    const object = makeObject(kind, random);
    clouds.push(object.cloud(1024, random));
    images.push(
      Array.from({ length: pictures }, (_, i) =>
        toBytes(i < shaded ? object.picture(imageSize, random) : object.drawing(imageSize, random)),
      ),
    );
  });
  return {
    pairs: {
      name: `drawings ${split}`,
      length,
      imageShape: [imageSize, imageSize, 1] as const,
      id: (index: number) => `${split}/${index}`,
      load: async (indices: ArrayLike<number>) =>
        Array.from(indices, (index) => ({
          image: fromBytes(images[index][shown[index]++ % pictures]),
          cloud: clouds[index],
        })),
    },
    labels: { classNames: KINDS, values },
  };
}

const train = drawnSplit('train', config.train, PICTURES, SHADED);
const test = drawnSplit('test', config.test, 1, 0);
const shadedTest = drawnSplit('test', config.test, 1, 1);
const data: LabelledDataSet = {
  name: 'drawings',
  train,
  test,
  mirror: false, // a mirrored digit is not a digit
  rotation: { axis: 2, maxDegrees: 180 },
};
const gpu = await openDevice();
try {
  const { models, result } = await run(gpu, data, config, {
    onStep: ({ stage, step, steps, loss }) => {
      if (step % 40 === 0) console.log(`${stage} ${step} of ${steps}: ${loss.toFixed(3)}`);
    },
    onWarning: console.log,
  });
  const shaded = await embedAll(gpu, models.rdl.encoders, shadedTest.pairs, config, data.rotation);
  const { values } = shadedTest.labels;
  const shadedMap = meanAveragePrecision(shaded.images, values, shaded.clouds, values, shaded.dimension);
  console.log(JSON.stringify({ ...result.stages, shadedMap, ...result.pseudoLabelAccuracy }, null, 1));
  const figure = (value: number) => value.toFixed(3);
  const described = {
    data: 'built-in shapes and digits, drawn and shaded',
    'mAP of drawings asking for clouds': figure(result.stages.rdl.imageToPoints),
    'mAP of shaded pictures asking for clouds': figure(shadedMap),
    'mAP of a blind guess': figure(1 / KINDS.length),
  };
  // Half the download; the figures stay the same to three digits.
  const bytes = await encodeModels({ 'rdl.encoders': models.rdl.encoders }, config, described, 'f16');
  writeFileSync('web/search/model.safetensors', bytes);
  const loaded = loadEncoders(gpu, bytes);
  const { images, clouds } = await embedGallery(loaded, await openGallery());
  const shape = [images.length / loaded.encoders.dimension, loaded.encoders.dimension];
  const gallery = encodeSafetensors({
    images: { shape, dtype: 'f16', data: images },
    clouds: { shape, dtype: 'f16', data: clouds },
  });
  writeFileSync('web/search/gallery.safetensors', gallery);
  console.log(`model ${bytes.length} bytes, gallery ${gallery.length} bytes`);
} finally {
  gpu.close();
}

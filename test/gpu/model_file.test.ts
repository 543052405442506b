/** Models as files: what is written is read again with the same bits, and what is no model is refused by name. */
import * as assert from 'uvu/assert';
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import type { PairedData } from '../../src/data/types.ts';
import { encodeSafetensors } from '../../src/files/safetensors.ts';
import { PRESETS } from '../../src/romo/config.ts';
import { embedAll, embedClouds, embedImages } from '../../src/romo/embedding.ts';
import { encodeModels, loadEncoders } from '../../src/romo/run/model_file.ts';
import { emptyModels } from '../../src/romo/run/run.ts';
import { Random } from '../../src/tensor/random.ts';
import { gpuSuite } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('model file');
const config = PRESETS.tiny;

const numbers = (count: number, name: string): Float32Array => {
  const random = new Random(1, name);
  return Float32Array.from({ length: count }, () => random.uniform());
};

test('the encoders of the last stage come back with the same bits', async () => {
  const models = emptyModels(gpu(), config, 1);
  const loaded = loadEncoders(gpu(), await encodeModels(models, config, { note: 'x' }));
  assert.is(loaded.stage, 'rdl');
  assert.is(loaded.metadata.note, 'x');
  assert.equal([...loaded.imageShape], [20, 20, 1]);
  const size = 20 * 20;
  const images = numbers(60 * size, 'images');
  assert.is((await embedImages(loaded, images)).length, 60 * config.rdl.dimension); // more than a portion
  const rows = await embedImages(loaded, images.subarray(0, 3 * size));
  const own = models.rdl.encoders;
  own.setTraining(false);
  using _scope = gpu().scope();
  const direct = await own.embedImages(gpu().tensor(images.subarray(0, 3 * size), [3, 20, 20, 1])).readFloats();
  assert.equal(rows, direct);
  const clouds = await embedClouds(loaded, numbers(3 * 3 * config.points, 'clouds'));
  assert.is(clouds.length, 3 * config.rdl.dimension);
});

test('the warm-up alone, and colour pictures', async () => {
  const { ssm } = emptyModels(gpu(), config, 3);
  const loaded = loadEncoders(gpu(), await encodeModels({ ssm }, config));
  assert.is(loaded.stage, 'ssm');
  assert.equal([...loaded.imageShape], [20, 20, 3]);
});

test('embedding what is not a whole image is an error', async () => {
  const loaded = loadEncoders(gpu(), await encodeModels(emptyModels(gpu(), config, 1), config));
  for (const length of [0, 399]) {
    await embedImages(loaded, new Float32Array(length)).then(
      () => assert.unreachable(),
      (error) => assert.is(error.code, 'shape'),
    );
  }
});

test('embedding that fails leaves the encoders in training and opens no scope', async () => {
  const { encoders } = emptyModels(gpu(), config, 1).ssm;
  const { train } = await openShapes({ ...config, train: 2 * config.batch, test: 10 });
  const broken: PairedData = {
    ...train.pairs,
    id: (index) => train.pairs.id(index),
    load: async (indices) => {
      if (indices[0] > 0) throw new Error('the second batch cannot be read');
      return train.pairs.load(indices);
    },
  };
  const rotation = { axis: 2, maxDegrees: 180 } as const;
  const faults: string[] = [];
  const failed = (error: Error) => void faults.push(error.message);
  await embedAll(gpu(), encoders, broken, config, rotation).catch(failed);
  assert.ok(encoders.training);
  await embedImages({ encoders, config, imageShape: [4, 4, 3] }, new Float32Array(48)).catch(failed);
  assert.match(faults[0], /second batch/);
  assert.match(faults[1], /channels/);
  assert.is(gpu().tensor([1], [1]).scope, null);
});

test('what is no model is refused, and named', async () => {
  const good = await encodeModels(emptyModels(gpu(), config, 1), config);
  const one = { 'rdl.x': { shape: [1], dtype: 'f32', data: new Float32Array(1) } } as const;
  const text = JSON.stringify(config);
  const wide = JSON.stringify({ ...config, resnetWidth: 4 });
  const stem = { shape: [8, 1, 3, 3], dtype: 'f32', data: new Float32Array(72) } as const;
  const flat = { shape: [8, 9], dtype: 'f32', data: new Float32Array(72) } as const;
  const huge = JSON.stringify({ ...config, resnet: 101, resnetWidth: 8192 });
  const { created } = gpu().memory();
  const cases: [Uint8Array, string, RegExp][] = [
    [new Uint8Array(), 'file', /m\.st is not a valid safetensors file/],
    [good.subarray(0, good.length - 8), 'file', /m\.st is not a valid safetensors file/],
    [encodeSafetensors(one), 'file', /m\.st has no configuration in its metadata/],
    [encodeSafetensors(one, { config: '{' }), 'file', /m\.st has a broken configuration/],
    [encodeSafetensors(one, { config: '{}' }), 'file', /m\.st: data is missing; preset is missing/],
    [encodeSafetensors(one, { config: text }), 'file', /m\.st holds no encoders/],
    [
      encodeSafetensors({ 'rdl.encoders.image.conv1.weight': stem }, { config: wide }),
      'state-dict',
      /m\.st does not fit/,
    ],
    [encodeSafetensors({ 'rdl.encoders.image.conv1.weight': stem }, { config: huge }), 'file', /m\.st is smaller than/],
    [
      encodeSafetensors({ 'rdl.encoders.image.conv1.weight': flat }, { config: text }),
      'file',
      /m\.st is for images of/,
    ],
  ];
  for (const [bytes, code, message] of cases) {
    try {
      loadEncoders(gpu(), bytes, 'm.st');
      assert.unreachable(`${message}`);
    } catch (error) {
      assert.match((error as Error).message, message);
      assert.is((error as { code: string }).code, code);
    }
  }
  assert.is(gpu().memory().created, created, 'and no memory is taken');
});

test.run();

/** Embeddings drawn to the centres of the clusters: as by definition, in evaluation alone, and in model files. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import { checkConfig, PRESETS, withRecipe } from '../../src/romo/config.ts';
import { embedAll, embedImages } from '../../src/romo/embedding.ts';
import { Encoders } from '../../src/romo/encoders.ts';
import { trainStages } from '../../src/romo/method/stages.ts';
import { encodeModels, loadEncoders } from '../../src/romo/run/model_file.ts';
import { trainingData } from '../../src/romo/run/run.ts';
import { Random } from '../../src/tensor/random.ts';
import { assertClose } from '../support/close.ts';
import { gpuSuite, times } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('pull');
const robust = withRecipe(PRESETS.tiny, 'robust');

/** normalize(v + pull sum_c p_c w_c), p = softmax(v . w_c / temperature), in f64; row [d], centres [C, d]. */
function pulled(row: readonly number[], centres: readonly number[][], pull: number, temperature: number): number[] {
  const logits = centres.map((centre) => centre.reduce((sum, w, c) => sum + w * row[c], 0) / temperature);
  const largest = Math.max(...logits);
  const shares = logits.map((logit) => Math.exp(logit - largest));
  const all = shares.reduce((sum, share) => sum + share, 0);
  const moved = row.map(
    (v, c) => v + pull * centres.reduce((sum, centre, i) => sum + (shares[i] / all) * centre[c], 0),
  );
  const length = Math.hypot(...moved);
  return moved.map((value) => value / length);
}

test('an embedding is drawn to the centres, as by definition', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 13 }),
      fc.integer({ min: 2, max: 37 }),
      fc.double({ min: 0.01, max: 4, noNaN: true }),
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      async (clusters, dimension, pull, headTemperature) => {
        const rdl = { ...robust.rdl, dimension, pull, headTemperature };
        const config = { ...robust, clusters, rdl };
        const encoders = new Encoders(gpu(), config, rdl, 1, { seed: 1, path: 'pull' });
        encoders.setTraining(false);
        const random = new Random(1, 'pull', clusters, dimension);
        const numbers = (count: number) => Float32Array.from({ length: count }, () => random.normal());
        const weight = numbers(dimension * clusters); // [d, C]
        encoders.centres?.weight.write(weight);
        const centres = Array.from({ length: clusters }, (_, cluster) =>
          Array.from({ length: dimension }, (_, c) => weight[c * clusters + cluster]),
        );
        const images = gpu().tensor(numbers(3 * 400), [3, 20, 20, 1]);
        const clouds = gpu().tensor(numbers(3 * 3 * config.points), [3, config.points, 3]);
        for (const [features, rows] of [
          [encoders.features.embedImages(images), encoders.embedImages(images)],
          [encoders.features.embedClouds(clouds), encoders.embedClouds(clouds)],
        ]) {
          const plain = [...(await features.readFloats())];
          const wanted = [0, 1, 2].flatMap((row) =>
            pulled(plain.slice(row * dimension, (row + 1) * dimension), centres, pull, headTemperature),
          );
          assertClose('pulled', await rows.readFloats(), wanted, { rtol: 0, atol: 2e-5 });
        }
        encoders.dispose();
      },
    ),
    { numRuns: times(12) },
  );
});

test('training is the same with and without; only what is embedded at the end differs', async () => {
  const data = await openShapes(robust);
  const states = [];
  for (const pull of [0, 0.5]) {
    const config = { ...robust, rdl: { ...robust.rdl, pull } };
    const { rdl, labels } = await trainStages(gpu(), trainingData(data), config);
    const { pairs } = data.test;
    const embedded = await embedAll(gpu(), rdl.encoders, pairs, config, data.rotation);
    const features = await embedAll(gpu(), rdl.encoders.features, pairs, config, data.rotation);
    states.push({ features, images: labels.images, head: await rdl.imageHead.stateDict() });
    if (pull === 0) assert.equal(embedded, features);
    else assert.not.equal(embedded.images, features.images);
  }
  assert.equal(states[1], states[0]);
});

test('a model file brings its centres along', async () => {
  const { pull: _, ...without } = robust.rdl;
  for (const rdl of [robust.rdl, without]) {
    const config = { ...robust, rdl };
    const encoders = new Encoders(gpu(), config, rdl, 1, { seed: 2, path: 'file' });
    encoders.setTraining(false);
    const loaded = loadEncoders(gpu(), await encodeModels({ 'rdl.encoders': encoders }, config));
    assert.is(Boolean(loaded.encoders.centres), rdl === robust.rdl);
    const images = Float32Array.from({ length: 400 }, (_, i) => Math.sin(i));
    using _scope = gpu().scope();
    const own = await encoders.embedImages(gpu().tensor(images, [1, 20, 20, 1])).readFloats();
    assert.equal(await embedImages(loaded, images), own);
  }
});

test('pull needs one head at the centres of the clusters', () => {
  checkConfig(robust);
  for (const changed of [{ sharedHead: false }, { selfLabels: false }]) {
    const config = { ...robust, rdl: { ...robust.rdl, ...changed } };
    assert.throws(() => checkConfig(config), /--pull 0/);
    checkConfig({ ...config, rdl: { ...config.rdl, pull: 0 } });
  }
});

test.run();

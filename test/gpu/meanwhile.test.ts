/** Tensors that a program makes while a long function waits are its own: no scope of the function takes them. */
import * as assert from 'uvu/assert';
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import { type Config, PRESETS, withRecipe } from '../../src/romo/config.ts';
import { embedAll } from '../../src/romo/embedding.ts';
import { kmeans } from '../../src/romo/method/kmeans.ts';
import { pseudoLabels } from '../../src/romo/method/pseudo_labels.ts';
import { SsmModel, trainSsm } from '../../src/romo/method/ssm.ts';
import { nearestObjects } from '../../src/romo/method/views.ts';
import { trainingData } from '../../src/romo/run/run.ts';
import { searchBlocks } from '../../src/search/exact.ts';
import { Random } from '../../src/tensor/random.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { gpuSuite } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('meanwhile');

const config: Config = withRecipe({ ...structuredClone(PRESETS.tiny), train: 20, test: 20, clusters: 3 }, 'robust');
const data = async () => trainingData(await openShapes(config));
const dimension = 12;
const rows = () => {
  const random = new Random(1, 'meanwhile');
  return Float32Array.from({ length: 30 * dimension }, () => random.uniform() - 0.5);
};

const functions: Record<string, () => Promise<unknown>> = {
  kmeans: () => kmeans(gpu(), rows(), dimension, { clusters: 3, seed: 1, stream: 'meanwhile' }),
  nearestObjects: () => nearestObjects(gpu(), rows(), dimension, config),
  searchBlocks: () => searchBlocks(gpu(), () => [rows()], dimension, rows().subarray(0, dimension), 5),
  async embedAll() {
    const { pairs, rotation } = await data();
    const model = new SsmModel(gpu(), config, pairs.imageShape[2]);
    await embedAll(gpu(), model.encoders, pairs, config, rotation);
    model.dispose();
  },
  async 'pseudo labels of the heads'() {
    const training = await data();
    const model = new SsmModel(gpu(), config, training.pairs.imageShape[2]);
    await pseudoLabels(gpu(), model, training, { ...config, rdl: { ...config.rdl, pseudoLabels: 'heads' } });
    model.dispose();
  },
  trainSsm: async () => (await trainSsm(gpu(), await data(), config)).dispose(),
};

for (const [name, work] of Object.entries(functions)) {
  test(name, async () => {
    let running = true;
    const end = () => {
      running = false;
    };
    const done = work();
    done.then(end, end);
    const made: Tensor[] = [];
    do {
      made.push(gpu().tensor([1], [1]));
      await new Promise((resolve) => setTimeout(resolve));
    } while (running);
    await done;
    assert.is(made.filter((tensor) => !tensor.alive).length, 0, `freed of ${made.length}`);
    for (const tensor of made) tensor.dispose();
  });
}

test.run();

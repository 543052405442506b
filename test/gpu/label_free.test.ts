/** Labels cannot reach training: not by its types, and not by any other way. */
import * as assert from 'uvu/assert';
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import type { DataSet } from '../../src/data/types.ts';
import { type Config, PRESETS, withRecipe } from '../../src/romo/config.ts';
import type { TrainingData } from '../../src/romo/method/feeder.ts';
import { run } from '../../src/romo/run/run.ts';
import { Random } from '../../src/tensor/random.ts';
import { gpuSuite } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('label-free');

function tiny(): Config {
  const { tiny: preset } = PRESETS;
  const small = { ...structuredClone(preset), train: 20, test: 10, batch: 10, clusters: 4 };
  small.ssm.epochs = 1;
  small.rdl.epochs = 1;
  return small;
}

/** All tensors of both trained models, one behind the other. */
async function trainedBytes(data: DataSet, config = tiny()): Promise<Uint8Array> {
  const { models } = await run(gpu(), data, config);
  const parts: Uint8Array[] = [];
  for (const model of [models.ssm, models.rdl]) {
    for (const { data: values } of Object.values(await model.stateDict())) {
      parts.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
    model.dispose();
  }
  return Buffer.concat(parts);
}

for (const recipe of ['paper', 'robust'] as const) {
  test(`models trained with true, shuffled and absent labels are the same bytes; recipe ${recipe}`, () =>
    compareLabels(recipe));
}

async function compareLabels(recipe: 'paper' | 'robust'): Promise<void> {
  const config = withRecipe({ ...tiny(), rdl: { ...tiny().rdl, voteNeighbours: 3 } }, recipe);
  if (recipe === 'robust') Object.assign(config.ssm, { withinClouds: 0.5 });
  const data = await openShapes(config);
  const { pairs, labels } = data.train;
  const order = Int32Array.from(new Random(1, 'shuffle').permutation(pairs.length));
  const shuffled = { ...labels, values: order.map((index) => labels.values[index]) };
  assert.not.equal(shuffled.values, labels.values);
  const seeing = await trainedBytes(data, config);
  assert.ok(seeing.length > 1000);
  for (const [name, given] of Object.entries({ shuffled, absent: null })) {
    const bytes = await trainedBytes({ ...data, train: { pairs, labels: given } }, config);
    assert.is(Buffer.compare(seeing, bytes), 0, `labels ${name}`);
  }
}

test('training data has no labels by its types', () => {
  const read = (data: TrainingData) => {
    // @ts-expect-error a data set's labels are not part of what training sees
    const { labels } = data;
    // @ts-expect-error nor are they part of the pairs
    return labels ?? data.pairs.labels;
  };
  assert.type(read, 'function');
});

test.run();

/** Labels cannot reach training, neither through its types nor in any other way. */
import * as assert from 'uvu/assert';
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import type { DataSet } from '../../src/data/types.ts';
import { type Config, PRESETS } from '../../src/romo/config.ts';
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

/** All tensors of both trained models, concatenated. */
async function trainedBytes(data: DataSet): Promise<Uint8Array> {
  const { models } = await run(gpu(), data, tiny());
  const parts: Uint8Array[] = [];
  for (const model of [models.ssm, models.rdl]) {
    for (const { data: values } of Object.values(await model.stateDict())) {
      parts.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
    model.dispose();
  }
  return Buffer.concat(parts);
}

test('models trained with true, shuffled and absent labels are the same, byte for byte', async () => {
  const data = await openShapes(tiny());
  const { pairs, labels } = data.train;
  const order = Int32Array.from(new Random(1, 'shuffle').permutation(pairs.length));
  const shuffled = { ...labels, values: order.map((index) => labels.values[index]) };
  assert.not.equal(shuffled.values, labels.values);
  const seeing = await trainedBytes(data);
  assert.ok(seeing.length > 1000);
  for (const [name, given] of Object.entries({ shuffled, absent: null })) {
    const bytes = await trainedBytes({ ...data, train: { pairs, labels: given } });
    assert.is(Buffer.compare(seeing, bytes), 0, `labels ${name}`);
  }
});

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

/** A stage that stopped after an epoch and goes on from its state ends with the same bits as one that never stopped. */
import * as assert from 'uvu/assert';
import { openShapes } from '../../src/data/shapes/shapes.ts';
import type { Module } from '../../src/model/module.ts';
import { PRESETS } from '../../src/romo/config.ts';
import { pseudoLabels } from '../../src/romo/pseudo_labels.ts';
import { trainRdl } from '../../src/romo/rdl.ts';
import { trainingData } from '../../src/romo/run.ts';
import { trainSsm } from '../../src/romo/ssm.ts';
import type { StageState } from '../../src/romo/stage.ts';
import { gpuSuite } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('resume');
const config = { ...structuredClone(PRESETS.tiny), train: 20, test: 10, batch: 10, clusters: 4 };

async function bytesOf(model: Module): Promise<Buffer> {
  const state = Object.values(await model.stateDict());
  return Buffer.concat(state.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
}

class Interrupted extends Error {}

/** Trains whole, then again with an interruption in the second epoch, then from the state after the first. */
async function compare(train: (hooks: Parameters<typeof trainSsm>[3]) => Promise<Module>): Promise<void> {
  const whole = await train({});
  const expected = await bytesOf(whole);
  whole.dispose();
  let state: StageState | undefined;
  const interrupted = train({
    async afterEpoch(end) {
      state = await end.state();
    },
    async beforeStep() {
      if (state) throw new Interrupted();
    },
  });
  await interrupted.then(
    () => assert.unreachable('it was not interrupted'),
    (error) => assert.instance(error, Interrupted),
  );
  assert.is(state?.epoch, 1);
  const steps: number[] = [];
  const resumed = await train({ resumeFrom: state, onProgress: ({ step }) => steps.push(step) });
  assert.equal(steps, [3, 4]);
  assert.is(Buffer.compare(await bytesOf(resumed), expected), 0);
  resumed.dispose();
}

test('the warm-up', async () => {
  const data = trainingData(await openShapes(config));
  await compare((hooks) => trainSsm(gpu(), data, config, hooks));
});

test('robust learning', async () => {
  const data = trainingData(await openShapes(config));
  const warm = await trainSsm(gpu(), data, config);
  const labels = await pseudoLabels(gpu(), warm, data, config);
  await compare((hooks) => trainRdl(gpu(), data, config, labels, warm, hooks));
  warm.dispose();
});

test('a state of another stage or configuration is refused', async () => {
  const data = trainingData(await openShapes(config));
  const resumeFrom: StageState = { stage: 'rdl', epoch: 1, tensors: {} };
  try {
    await trainSsm(gpu(), data, config, { resumeFrom });
    assert.unreachable();
  } catch (error) {
    assert.is((error as { code: string }).code, 'state-dict');
  }
});

test.run();

/**
 * A stage that stops between two steps and resumes from its state ends with the same bits as one that never stopped.
 */
import * as assert from 'uvu/assert';
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import type { Module } from '../../src/model/module.ts';
import { PRESETS, withOptimizer, withRecipe } from '../../src/romo/config.ts';
import { pseudoLabels } from '../../src/romo/method/pseudo_labels.ts';
import { trainRdl } from '../../src/romo/method/rdl.ts';
import { trainSsm } from '../../src/romo/method/ssm.ts';
import type { StageState } from '../../src/romo/method/stage_state.ts';
import { type TrainingHooks, type TrainingState, trainStages } from '../../src/romo/method/stages.ts';
import { type RunState, run, trainingData } from '../../src/romo/run/run.ts';
import { gpuSuite } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('resume');
const config = { ...structuredClone(PRESETS.tiny), train: 20, test: 10, batch: 10, clusters: 4 };

async function bytesOf(model: Module): Promise<Buffer> {
  const state = Object.values(await model.stateDict());
  return Buffer.concat(state.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
}

class Interrupted extends Error {}

/** Trains whole; then again, interrupted at each of some steps, and from there on. */
async function compare(
  train: (hooks: Parameters<typeof trainSsm>[3]) => Promise<Module>,
  hasLabels = false, // between epochs
): Promise<void> {
  const whole = await train({});
  const expected = await bytesOf(whole);
  whole.dispose();
  // 2 epochs of 2 steps: in the middle of one, and between them
  for (const [done, epoch, step] of [
    [1, 0, 1],
    [2, 1, 0],
  ]) {
    let state: StageState | undefined;
    let count = 0;
    const interrupted = train({
      async onPosition(at) {
        if (count++ !== done) return;
        state = await at.state();
        throw new Interrupted();
      },
    });
    await interrupted.then(
      () => assert.unreachable('it was not interrupted'),
      (error) => assert.instance(error, Interrupted),
    );
    assert.equal([state?.epoch, state?.step, state?.labels === null], [epoch, step, step === 0 && !hasLabels]);
    const steps: number[] = [];
    const resumed = await train({ resumeFrom: state, onStep: (report) => steps.push(report.step) });
    assert.equal(steps, [1, 2, 3, 4].slice(done));
    assert.is(Buffer.compare(await bytesOf(resumed), expected), 0, `interrupted after ${done} steps`);
    resumed.dispose();
  }
}

const robust = withRecipe({ ...config, rdl: { ...config.rdl, voteNeighbours: 3 } }, 'robust');

test('what is not a finite number is not kept', async () => {
  const data = trainingData(await openShapes(config));
  const wild = { ...config, ssm: { ...config.ssm, learningRate: 1e38 } };
  await trainSsm(gpu(), data, wild, { onPosition: async (at) => void (await at.state()) }).then(
    () => assert.unreachable(),
    (error) => {
      assert.is(error.code, 'not-finite');
      assert.match(error.message, /model\.|loss/);
    },
  );
});

test('the warm-up', async () => {
  const data = trainingData(await openShapes(config));
  await compare((hooks) => trainSsm(gpu(), data, config, hooks));
  await compare((hooks) => trainSsm(gpu(), data, withOptimizer(robust, 'adamw'), hooks));
});

test('robust learning', async () => {
  const data = trainingData(await openShapes(config));
  const warm = await trainSsm(gpu(), data, config);
  const labels = await pseudoLabels(gpu(), warm, data, config);
  await compare((hooks) => trainRdl(gpu(), data, config, labels, warm, hooks));
  warm.dispose();
});

test('robust learning with self-labelling', async () => {
  const data = trainingData(await openShapes(config));
  const warm = await trainSsm(gpu(), data, robust);
  const labels = await pseudoLabels(gpu(), warm, data, robust);
  await compare((hooks) => trainRdl(gpu(), data, robust, labels, warm, hooks), true);
  warm.dispose();
});

test('both stages resume from the end of any epoch, with the labels that they were given', async () => {
  const data = trainingData(await openShapes(config));
  const states: TrainingState[] = [];
  const train = async (hooks: TrainingHooks) => {
    const { ssm, rdl, labels } = await trainStages(gpu(), data, config, hooks);
    const bytes = Buffer.concat([await bytesOf(ssm), await bytesOf(rdl)]);
    for (const model of [ssm, rdl]) model.dispose();
    return { bytes, labels };
  };
  let steps = 0;
  const whole = await train({
    beforeStep: async () => void steps++,
    afterEpoch: async (end) => void states.push(await end.state()),
    changeLabels: ({ images, clouds }) => ({ images: images.map((label) => (label + 1) % 4), clouds }),
  });
  assert.is(steps, 8, '2 stages of 2 epochs of 2 steps');
  assert.equal(
    states.map(({ stage: { stage, epoch }, warm }) => [stage, epoch, warm !== null]),
    [
      ['ssm', 1, false],
      ['ssm', 2, false],
      ['rdl', 1, true],
      ['rdl', 2, true],
    ],
  );
  const changeLabels = (): never => {
    throw new Error('labels that are in the state are not found again');
  };
  const resumed = await train({ resumeFrom: states[2], changeLabels });
  assert.is(Buffer.compare(resumed.bytes, whole.bytes), 0);
  assert.equal(resumed.labels, whole.labels);
});

test('a run offers its figures and its time in every state', async () => {
  const states: RunState[] = [];
  let steps = 0;
  const { models } = await run(gpu(), await openShapes(config), config, {
    beforeStep: async () => void steps++,
    afterEpoch: async (end) => void states.push(await end.state()),
  });
  for (const model of Object.values(models)) model.dispose();
  assert.is(steps, 8);
  assert.equal(
    states.map(({ figures }) => Object.keys(figures)),
    [0, 0, 1, 1].map((warmUps) => ['untrained', 'kmeans', 'ssm'].slice(0, 2 + warmUps)),
  );
  assert.ok(states[3].seconds.rdl > states[2].seconds.rdl);
});

test('a state of another stage or configuration is refused', async () => {
  const data = trainingData(await openShapes(config));
  const resumeFrom: StageState = { stage: 'rdl', epoch: 1, step: 0, tensors: {}, labels: null };
  try {
    await trainSsm(gpu(), data, config, { resumeFrom });
    assert.unreachable();
  } catch (error) {
    assert.is((error as { code: string }).code, 'state-dict');
  }
});

test.run();

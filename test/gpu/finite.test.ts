/** `checkFinite`: names the first kernel whose output is not finite; changes nothing if all are finite. */
import * as assert from 'uvu/assert';
import { mul, sqrt, square } from '../../src/autograd/pointwise.ts';
import { record } from '../../src/autograd/tape.ts';
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import { PRESETS } from '../../src/romo/config.ts';
import { type RunHooks, run } from '../../src/romo/run/run.ts';
import { RomoError } from '../../src/tensor/error.ts';
import { runChecked } from '../../src/tensor/finite.ts';
import { Replay } from '../../src/tensor/replay.ts';
import { gpuSuite } from '../support/gpu.ts';
import { TinyTraining } from '../support/tiny_training.ts';

const { test, gpu } = gpuSuite('finite');

async function faultOf(attempt: () => Promise<unknown>): Promise<RomoError> {
  try {
    await attempt();
  } catch (error) {
    assert.instance(error, RomoError, String(error));
    return error as RomoError;
  }
  throw new Error('nothing was thrown');
}

/** Records sum-like steps over x: sqrt forward, or a product whose gradient passes through sqrt. */
async function checked(values: readonly number[]): Promise<RomoError> {
  using _scope = gpu().scope();
  const x = gpu().tensor(values, [values.length]);
  x.requiresGrad = true;
  const weight = gpu().tensor(new Float32Array(values.length).fill(2), [values.length]);
  const { replay } = await Replay.record(gpu(), () => {
    const tape = record(gpu(), () => mul(sqrt(square(square(x))), weight));
    tape.backward(weight);
    x.grad?.dispose();
    x.grad = null;
  });
  const fault = await faultOf(() => runChecked(gpu(), replay, 'here'));
  replay.dispose();
  return fault;
}

test('the kernel of the forward pass that overflows is named, with place and count', async () => {
  const { code, message } = await checked([1, 2, 1e20, 3, -1e30]);
  assert.is(code, 'not-finite');
  assert.match(
    message,
    /^pointwise\.unary OP=\d+.* is the first kernel whose output is not finite: \w+ \[5\], 2 of 5 numbers, the first, number 2, is Infinity \(here\)/,
  );
});

test('a gradient that is not finite is found behind a forward pass that is', async () => {
  const { message } = await checked([1, 0, 2]); // the slope of sqrt at 0
  assert.match(message, /^pointwise\.\w*[gG]rad\w*.*\[3\], 1 of 3 numbers, the first, number 1, is (NaN|Infinity)/);
});

test('what comes into the step from outside is not put down to a kernel', async () => {
  const { message } = await checked([1, Number.NaN, 2]);
  assert.match(
    message,
    /^pointwise\.unary.* to read what is not finite, from before the step: x \[3\], 1 of 3 numbers/,
  );
});

test('where all is finite the bits are those of the unchecked step', async () => {
  const states: number[][] = [];
  for (const isChecked of [false, true]) {
    const training = new TinyTraining(gpu());
    const { replay } = await Replay.record(gpu(), () => training.step());
    for (let step = 0; step < 5; step++) {
      training.load(step);
      if (isChecked) await runChecked(gpu(), replay, `step ${step}`);
      else replay.run();
    }
    states.push(await training.state());
    replay.dispose();
    training.dispose();
  }
  assert.equal(states[1], states[0]);
});

test('a whole run is the same under it; in one that diverges kernel, step and samples are named', async () => {
  const config = { ...structuredClone(PRESETS.tiny), train: 20, test: 10, batch: 10, clusters: 4 };
  Object.assign(config.ssm, { epochs: 1 });
  Object.assign(config.rdl, { epochs: 1 });
  const data = await openShapes(config);
  const losses = async (hooks: RunHooks): Promise<number[]> => {
    const all: number[] = [];
    const { models } = await run(gpu(), data, config, { ...hooks, onStep: ({ loss }) => all.push(loss) });
    models.ssm.dispose();
    models.rdl.dispose();
    return all;
  };
  const plain = await losses({});
  assert.equal(await losses({ checkFinite: true }), plain);
  config.ssm.learningRate = 1e30;
  const { message } = await faultOf(() => losses({ checkFinite: true }));
  assert.match(
    message,
    /^batch_norm.*\.statistics is the first kernel whose output is not finite: .*\(ssm, step 2, epoch 1; samples train\/\d+ train\//,
  );
});

test.run();

/** The optimisers and their schedule against the float64 reference. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { AdamW } from '../../src/model/adamw.ts';
import { cosineRate } from '../../src/model/optimizer.ts';
import { Sgd } from '../../src/model/sgd.ts';
import { Replay } from '../../src/tensor/replay.ts';
import * as reference from '../reference/optimizers.ts';
import { assertClose, assertValues } from '../support/close.ts';
import { gpuSuite, times } from '../support/gpu.ts';
import { argument } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('optimizers');

test('sgd: several steps with momentum and weight decay, the rate changing', async () => {
  const cases = fc.record({
    size: fc.constantFrom(1, 7, 63, 64, 65, 300),
    momentum: fc.constantFrom(0, 0.9),
    weightDecay: fc.constantFrom(0, 5e-4, 0.1),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ size, momentum, weightDecay }) => {
      using _ = gpu().scope();
      const { data } = argument('parameter', [size]);
      const parameter = gpu().tensor(data, [size]);
      const sgd = new Sgd(gpu(), new Map([['p', parameter]]), { learningRate: 0.1, momentum, weightDecay });
      const exact = Float64Array.from(data);
      const velocity = new Float64Array(size);
      for (let step = 0; step < 4; step++) {
        const lr = 0.1 / (step + 1);
        const gradient = argument(`gradient ${step}`, [size]).data;
        sgd.setRate(lr);
        parameter.grad = gpu().tensor(gradient, [size]);
        sgd.step();
        reference.sgdStep(exact, gradient, velocity, { lr, momentum, weightDecay });
      }
      assertValues('sgd, parameter', await parameter.readFloats(), exact, { rtol: 1e-5, atol: 1e-6 });
      const velocities = await (sgd.state.get('velocity.p') as typeof parameter).readFloats();
      assertValues('sgd, velocity', velocities, velocity, { rtol: 1e-5, atol: 1e-6 });
      sgd.dispose();
    }),
    { numRuns: times(12) },
  );
});

test('adamw: several steps with both averages and weight decay, the rate changing', async () => {
  const cases = fc.record({
    size: fc.constantFrom(1, 7, 63, 64, 65, 300),
    beta1: fc.constantFrom(0, 0.9),
    beta2: fc.constantFrom(0.9, 0.999),
    epsilon: fc.constantFrom(1e-8, 0.1),
    weightDecay: fc.constantFrom(0, 0.01, 0.5),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ size, ...options }) => {
      using _ = gpu().scope();
      const { data } = argument('parameter', [size]);
      const parameter = gpu().tensor(data, [size]);
      const adamw = new AdamW(gpu(), new Map([['p', parameter]]), { learningRate: 0.1, ...options });
      const exact = Float64Array.from(data);
      const averages = { first: new Float64Array(size), second: new Float64Array(size) };
      for (let step = 1; step <= 4; step++) {
        const lr = 0.1 / step;
        const gradient = argument(`gradient ${step}`, [size]).data;
        adamw.setRate(lr);
        parameter.grad = gpu().tensor(gradient, [size]);
        adamw.step();
        reference.adamwStep(exact, gradient, averages, step, { lr, ...options });
      }
      const read = (name: string) => (adamw.state.get(name) as typeof parameter).readFloats();
      const bound = { rtol: 1e-5, atol: 1e-6 };
      // 1 - beta2 in f32 is off by 1e-5 where beta2 is 0.999; the correction by 1 - beta2^t cancels that.
      assertValues('adamw, parameter', await parameter.readFloats(), exact, { rtol: 1e-5, atol: 3e-6 });
      assertValues('adamw, average', await read('velocity.p'), averages.first, bound);
      assertValues('adamw, squares', await read('squares.p'), averages.second, { rtol: 3e-5, atol: 1e-7 });
      adamw.dispose();
    }),
    { numRuns: times(12) },
  );
});

test('adamw: a recorded step counts itself', async () => {
  using _ = gpu().scope();
  const values = async (replayed: boolean) => {
    const parameter = gpu().tensor([1, -2, 3], [3]);
    const gradient = gpu().tensor([0.5, 0.1, -4], [3]);
    const adamw = new AdamW(gpu(), new Map([['p', parameter]]), { learningRate: 0.1 });
    const step = () => {
      parameter.grad = gradient.view([3]);
      adamw.step();
    };
    if (replayed) {
      const { replay } = await Replay.record(gpu(), step);
      for (let i = 0; i < 3; i++) replay.run();
      const result = [...(await parameter.readFloats())];
      replay.dispose();
      return result;
    }
    for (let i = 0; i < 3; i++) step();
    return [...(await parameter.readFloats())];
  };
  assert.equal(await values(true), await values(false));
});

test('a step frees the gradients; a parameter without one is named', () => {
  using _ = gpu().scope();
  const parameter = gpu().tensor([1, 2], [2]);
  const sgd = new Sgd(gpu(), new Map([['layer.weight', parameter]]), { learningRate: 0.1 });
  const gradient = gpu().tensor([1, 1], [2]);
  parameter.grad = gradient;
  sgd.step();
  assert.not(gradient.alive);
  assert.is(parameter.grad, null);
  assert.throws(() => sgd.step(), /parameter layer.weight has no gradient/);
  sgd.dispose();
});

test('cosineRate', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 10, noNaN: true }), fc.nat(999), (rate, step) => {
      const expected = reference.cosineRate(rate, step, 1000);
      assertClose('rate', [cosineRate(rate, step, 1000)], [expected], { rtol: 1e-9, atol: 1e-12 });
    }),
  );
  assert.is(cosineRate(0.3, 0, 100), 0.3);
  assert.ok(Math.abs(cosineRate(0.3, 100, 100)) < 1e-12);
});

test.run();

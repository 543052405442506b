/** Fixtures of the parts of training without gradients: the optimisers, k-means, the memory bank. */
import { AdamW } from '../../src/model/adamw.ts';
import { cosineRate } from '../../src/model/optimizer.ts';
import { Sgd } from '../../src/model/sgd.ts';
import { lloyd } from '../../src/romo/method/kmeans.ts';
import { MemoryBank } from '../../src/romo/method/memory_bank.ts';
import { assertClose } from '../support/close.ts';
import type { Handler } from './ops.ts';

export const training: Readonly<Record<string, Handler>> = {
  async sgd(gpu, fixture) {
    const { lr, momentum, weight_decay: weightDecay, steps } = fixture.attrs;
    const { shape } = fixture.get('in.param');
    const gradients = fixture.floats('in.grads'); // [steps, size]
    const parameter = gpu.tensor(fixture.floats('in.param'), shape);
    const sgd = new Sgd(gpu, new Map([['param', parameter]]), { learningRate: lr, momentum, weightDecay });
    try {
      const rates: number[] = [];
      for (let step = 0; step < steps; step++) {
        rates.push(cosineRate(lr, step, steps));
        sgd.setRate(rates[step]);
        parameter.grad = gpu.tensor(gradients.subarray(step * parameter.size, (step + 1) * parameter.size), shape);
        sgd.step();
      }
      assertClose('learning rates', rates, fixture.floats('out.lrs'), fixture);
      assertClose('param', await parameter.readFloats(), fixture.floats('out.param'), fixture);
    } finally {
      sgd.dispose();
    }
  },

  async adamw(gpu, fixture) {
    const { lr, beta1, beta2, epsilon, weight_decay: weightDecay, steps } = fixture.attrs;
    const { shape } = fixture.get('in.param');
    const parameter = gpu.tensor(fixture.floats('in.param'), shape);
    const options = { learningRate: lr, beta1, beta2, epsilon, weightDecay };
    const adamw = new AdamW(gpu, new Map([['param', parameter]]), options);
    try {
      const path: number[] = [];
      for (let step = 0; step < steps; step++) {
        adamw.setRate(cosineRate(lr, step, steps));
        const gradients = fixture.floats('in.grads'); // [steps, size]
        parameter.grad = gpu.tensor(gradients.subarray(step * parameter.size, (step + 1) * parameter.size), shape);
        adamw.step();
        path.push(...(await parameter.readFloats()));
      }
      assertClose('parameter after each step', path, fixture.floats('out.params'), fixture);
    } finally {
      adamw.dispose();
    }
  },

  async kmeans(gpu, fixture) {
    const { data, shape } = fixture.get('in.x');
    const x = gpu.tensor(data, shape);
    const { centres, labels } = await lloyd(gpu, x, fixture.floats('in.centroids'), fixture.attrs.iterations);
    assertClose('centroids', centres, fixture.floats('out.centroids'), fixture);
    assertClose('labels', labels, fixture.ints('out.labels'), { rtol: 0, atol: 0 });
  },

  async memory_update(gpu, fixture) {
    const [, channels] = fixture.get('in.memory').shape;
    const { data, shape } = fixture.get('in.features');
    const index = fixture.ints('in.index');
    const bank = new MemoryBank(gpu, fixture.floats('in.memory'), channels);
    try {
      bank.update(gpu.tensor(data, shape), gpu.tensor(index, [index.length]), fixture.attrs.momentum);
      assertClose('memory', await bank.rows.readFloats(), fixture.floats('out.memory'), fixture);
    } finally {
      bank.dispose();
    }
  },
};

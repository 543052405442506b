/** Every row of the pointwise tables against its float64 function, values and gradients. */
import * as assert from 'uvu/assert';
import * as ops from '../../src/autograd/pointwise.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import * as reference from '../reference/pointwise.ts';
import { gpuSuite } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('pointwise');
const table = ops as unknown as Record<string, (x: Tensor, y?: Tensor | number) => Tensor>;

test('the references cover every row', () => {
  const unary = [...Object.keys(reference.unary), ...Object.keys(reference.withConstant)];
  assert.equal(unary.sort(), Object.keys(ops.UNARY).sort());
  assert.equal(Object.keys(reference.binary).sort(), Object.keys(ops.BINARY).sort());
});

for (const [name, f] of Object.entries(reference.unary)) {
  test(name, async () => {
    const low = name === 'log' || name === 'sqrt' ? 0.2 : -2;
    await gradcheck(gpu(), {
      name,
      inputs: [argument(name, [5, 7], low, 2)],
      op: ([x]) => table[name](x),
      reference: ([x]) => x.map((value) => f(value)),
    });
  });
}

for (const [name, f] of Object.entries(reference.withConstant)) {
  test(name, async () => {
    await gradcheck(gpu(), {
      name,
      inputs: [argument(name, [5, 7])],
      op: ([x]) => table[name](x, 0.2),
      reference: ([x]) => x.map((value) => f(value, 0.2)),
    });
  });
}

for (const [name, f] of Object.entries(reference.binary)) {
  test(`${name}, where the second argument repeats and where it is the first`, async () => {
    for (const shape of [[5, 7], [7], [1]]) {
      await gradcheck(gpu(), {
        name: `${name} [${shape}]`,
        inputs: [argument('x', [5, 7]), argument('y', shape, 0.5, 2)],
        op: ([x, y]) => table[name](x, y),
        reference: ([x, y]) => x.map((value, i) => f(value, y[i % y.length])),
      });
    }
    await gradcheck(gpu(), {
      name: `${name} of one tensor`,
      inputs: [argument('x', [5, 7], 0.5, 2)],
      op: ([x]) => table[name](x, x),
      reference: ([x]) => x.map((value) => f(value, value)),
    });
  });
}

test('shapes that do not repeat are named', () => {
  assert.throws(() => ops.add(gpu().empty([5, 7]), gpu().empty([5])), /\[5\] does not repeat along \[5,7\]/);
});

test.run();

/** Every row of the pointwise tables against its float64 function, values and gradients. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { BINARY } from '../../src/autograd/elementary.ts';
import * as ops from '../../src/autograd/pointwise.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import * as reference from '../reference/pointwise.ts';
import { forwardBackward } from '../support/backward.ts';
import { assertClose } from '../support/close.ts';
import { gpuSuite, times } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('pointwise');
const table = ops as unknown as Record<string, (x: Tensor, y?: Tensor | number) => Tensor>;

// One, primes, and sizes around a workgroup (64 numbers, or 64 times four).
const sizes = fc.constantFrom(1, 2, 7, 63, 64, 65, 256, 257);
const numRuns = { numRuns: times(8) };

test('the references cover every row', () => {
  const unary = [...Object.keys(reference.unary), ...Object.keys(reference.withConstant)];
  assert.equal(unary.sort(), [...ops.UNARY].sort());
  assert.equal(Object.keys(reference.binary).sort(), [...BINARY].sort());
});

for (const [name, f] of Object.entries(reference.unary)) {
  test(name, async () => {
    const low = name === 'log' || name === 'sqrt' ? 0.2 : -2;
    await fc.assert(
      fc.asyncProperty(sizes, (size) =>
        gradcheck(gpu(), {
          name,
          inputs: [argument(name, [size], low, 2)],
          op: ([x]) => table[name](x),
          reference: ([x]) => x.map((value) => f(value)),
        }),
      ),
      numRuns,
    );
  });
}

for (const [name, f] of Object.entries(reference.withConstant)) {
  test(name, async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.constantFrom(0, 0.2, 1, -1.5), (size, constant) =>
        gradcheck(gpu(), {
          name,
          inputs: [argument(name, [size])],
          op: ([x]) => table[name](x, constant),
          reference: ([x]) => x.map((value) => f(value, constant)),
        }),
      ),
      numRuns,
    );
  });
}

for (const [name, f] of Object.entries(reference.binary)) {
  test(`${name}, where the second argument repeats and where it is the first`, async () => {
    for (const [x, y] of [
      [
        [5, 7],
        [5, 7],
      ],
      [[5, 7], [7]],
      [[5, 7], [1]],
      [
        [3, 65, 4],
        [65, 4],
      ],
      [[16, 8], [8]],
      [[16, 8], [1]],
      [[200, 4], [4]],
    ]) {
      await gradcheck(gpu(), {
        name: `${name} [${x}], [${y}]`,
        inputs: [argument('x', x), argument('y', y, 0.5, 2)],
        op: (inputs) => table[name](inputs[0], inputs[1]),
        reference: ([a, b]) => a.map((value, i) => f(value, b[i % b.length])),
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

test('functions of two arguments, of any shape', async () => {
  const axis = fc.constantFrom(1, 2, 3, 4, 7, 13, 16);
  await fc.assert(
    fc.asyncProperty(fc.array(axis, { minLength: 1, maxLength: 3 }), fc.nat(3), async (shape, dropped) => {
      const repeated = dropped < shape.length ? shape.slice(dropped) : [1];
      for (const [name, f] of Object.entries(reference.binary)) {
        await gradcheck(gpu(), {
          name: `${name} [${shape}], [${repeated}]`,
          inputs: [argument('x', shape), argument('y', repeated, -2, -0.5)],
          op: ([x, y]) => table[name](x, y),
          reference: ([x, y]) => x.map((value, i) => f(value, y[i % y.length])),
        });
      }
    }),
    { numRuns: times(15) },
  );
});

test('far from zero nothing overflows', async () => {
  const x = gpu().tensor([-1000, -100, -30, 0, 30, 100, 1000], [7]);
  for (const name of ['tanh', 'sigmoid', 'relu', 'abs']) {
    const { output, gradients } = await forwardBackward(gpu(), [x], () => table[name](x));
    const expected = [-1000, -100, -30, 0, 30, 100, 1000].map(reference.unary[name]);
    assertClose(name, output, expected, { rtol: 1e-5, atol: 1e-6 });
    assert.ok(gradients[0].every(Number.isFinite), `${name}: gradient ${gradients[0]}`);
  }
});

test('at a kink the derivative is the one of the table', async () => {
  const x = gpu().tensor([0], [1]);
  for (const [name, expected] of [
    ['relu', 0],
    ['leakyRelu', 0.25],
    ['abs', 0],
  ] as const) {
    const { gradients } = await forwardBackward(gpu(), [x], () => table[name](x, 0.25));
    assert.is(gradients[0][0], expected, name);
  }
});

test('more than 65,535 workgroups', async () => {
  const count = 65535 * 64 + 129; // odd, so that each number has its own invocation
  const values = Float32Array.from({ length: count }, (_, i) => i % 8191);
  using _ = gpu().scope();
  const doubled = await ops.scale(gpu().tensor(values, [count]), 2).readFloats();
  assert.ok(
    doubled.every((value, i) => value === 2 * values[i]),
    'every element is computed, once',
  );
});

test('shapes that do not repeat are named', () => {
  const x = gpu().empty([5, 7]);
  assert.throws(() => ops.add(x, gpu().empty([5])), /add: y does not repeat along x \(x \[5,7\], y \[5\]\)/);
  assert.throws(() => ops.mul(x, gpu().empty([1, 5, 7])), /mul: .*x \[5,7\], y \[1,5,7\]/);
});

test.run();

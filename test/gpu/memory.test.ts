/** Memory: scopes return it, the pool reuses it, and training does not increase it. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { matmul } from '../../src/autograd/matmul.ts';
import { add, relu, scale } from '../../src/autograd/pointwise.ts';
import { differentiable, record } from '../../src/autograd/tape.ts';
import { bucket } from '../../src/tensor/memory.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { gpuSuite } from '../support/gpu.ts';
import { TinyTraining } from '../support/tiny_training.ts';

const { test, gpu } = gpuSuite('memory');

test('a scope gives back what was made in it, but not what was kept', async () => {
  const before = gpu().memory();
  let kept: Tensor | undefined;
  {
    using _ = gpu().scope();
    const x = gpu().tensor([1, 2, 3], [3]);
    kept = scale(add(x, x), 2).keep();
    gpu().zeros([1000]);
  }
  assert.is(gpu().memory().liveBuffers, before.liveBuffers + 1);
  assert.equal([...(await kept.readFloats())], [4, 8, 12]);
  kept.dispose();
  assert.is(gpu().memory().liveBytes, before.liveBytes);
});

test('scopes nest: the inner one ends first, escape hands to the outer', () => {
  const before = gpu().memory().liveBuffers;
  const outer = gpu().scope();
  const inner = gpu().scope();
  const [a, b] = [gpu().empty([4]), inner.escape(gpu().empty([4]))];
  inner.end();
  assert.not(a.alive);
  assert.ok(b.alive);
  outer.end();
  assert.not(b.alive);
  inner.end(); // twice does nothing
  assert.is(gpu().memory().liveBuffers, before);
});

test('a scope ends where an error leaves it, also inside of an op', () => {
  const before = gpu().memory().liveBuffers;
  assert.throws(() => {
    using _ = gpu().scope();
    matmul(gpu().empty([2, 3]), gpu().empty([4, 5]));
  }, /matmul/);
  assert.throws(() => record(gpu(), () => matmul(gpu().empty([2, 3]), gpu().empty([4, 5]))), /matmul/);
  assert.is(gpu().memory().liveBuffers, before);
  assert.is(gpu().currentScope, undefined);
  assert.is(gpu().tape, null);
});

test('a gradient that throws leaves no scope and no tensor behind', () => {
  const broken = differentiable({
    name: 'broken',
    forward({ x }: { x: Tensor }) {
      return { output: x.gpu.zeros([1]) };
    },
    backward(grad) {
      return {
        x: () => {
          grad.gpu.empty([7]);
          throw new Error('no gradient today');
        },
      };
    },
  });
  const before = gpu().memory().liveBuffers;
  const x = gpu().empty([3]).keep();
  x.requiresGrad = true;
  const tape = record(gpu(), () => broken({ x: scale(x, 2) }));
  assert.throws(() => tape.backward(), /no gradient today/);
  assert.is(gpu().currentScope, undefined);
  x.dispose();
  assert.is(gpu().memory().liveBuffers, before);
});

test('disposing twice gives back once', () => {
  const before = gpu().memory();
  const x = gpu().empty([5]);
  const view = x.view([5, 1]);
  x.dispose();
  x.dispose();
  assert.is(gpu().memory().liveBuffers, before.liveBuffers + 1, 'the view still holds it');
  view.dispose();
  assert.is(gpu().memory().liveBuffers, before.liveBuffers);
});

test('the pool reuses a freed buffer of the same size', () => {
  gpu().empty([12345]).dispose();
  const { created, pooledBytes } = gpu().memory();
  const again = gpu().empty([12345]);
  assert.is(gpu().memory().created, created);
  assert.ok(gpu().memory().pooledBytes < pooledBytes);
  again.dispose();
  assert.is(gpu().memory().pooledBytes, pooledBytes);
});

test('a reused buffer is written and read in the order of the calls', async () => {
  for (let round = 0; round < 5; round++) {
    using _ = gpu().scope();
    const x = gpu().tensor([round, round], [2]);
    const y = scale(x, 2);
    x.dispose();
    const z = gpu().tensor([100, 100], [2]); // may reuse the buffer of x
    assert.equal([...(await y.readFloats())], [2 * round, 2 * round]);
    assert.equal([...(await z.readFloats())], [100, 100]);
  }
});

test('zeros are zero also in a reused buffer', async () => {
  gpu().tensor([7, 7, 7, 7, 7], [5]).dispose();
  using _ = gpu().scope();
  assert.equal([...(await gpu().zeros([5]).readFloats())], [0, 0, 0, 0, 0]);
});

test('bucket: enough, a multiple of 4, at most an eighth too much', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (bytes) => {
      const size = bucket(bytes);
      assert.ok(size >= bytes && size % 4 === 0 && bucket(size) === size);
      assert.ok(size <= Math.max(256 * Math.ceil(bytes / 256), bytes * 1.125));
    }),
  );
});

test('backward frees the tape; a tape that is given up frees it too', async () => {
  const x = gpu().tensor([1, -2], [2]).keep();
  x.requiresGrad = true;
  const before = gpu().memory().liveBuffers;
  const tape = record(gpu(), () => relu(scale(add(x, x), 3)));
  const seed = gpu().tensor([1, 1], [2]);
  tape.backward(seed);
  seed.dispose();
  assert.is(gpu().memory().liveBuffers, before + 1, 'only the gradient is left');
  assert.equal([...(await (x.grad as Tensor).readFloats())], [6, 0]);
  x.grad?.dispose();
  x.grad = null;
  record(gpu(), () => relu(scale(add(x, x), 3))).end();
  assert.is(gpu().memory().liveBuffers, before);
  x.dispose();
});

test('100 training steps: no more bytes and no more buffers than after 10', async () => {
  const before = gpu().memory();
  const training = new TinyTraining(gpu());
  let early = gpu().memory();
  for (let step = 0; step < 100; step++) {
    training.load(step % 3);
    const loss = training.step();
    assert.ok(Number.isFinite((await loss.readFloats())[0]));
    loss.dispose();
    if (step === 9) early = gpu().memory();
  }
  assert.equal(gpu().memory(), early);
  training.dispose();
  assert.is(gpu().memory().liveBytes, before.liveBytes);
  assert.is(gpu().memory().liveBuffers, before.liveBuffers);
});

test.run();

/**
 * Tensors above 128 MiB, more than 65,535 workgroups and clouds of 20,000 points, on a device with the limits that
 * every WebGPU adapter guarantees. The results are too large for a complete reference, so random elements are checked
 * in float64.
 */
import * as assert from 'uvu/assert';
import { batchNorm } from '../../src/autograd/batch_norm.ts';
import { conv2d } from '../../src/autograd/conv2d.ts';
import { knn } from '../../src/autograd/knn.ts';
import { softmaxCrossEntropy } from '../../src/autograd/losses.ts';
import { matmul } from '../../src/autograd/matmul.ts';
import { maxPool2d } from '../../src/autograd/max_pool2d.ts';
import { randomUniform } from '../../src/autograd/random.ts';
import { Random } from '../../src/tensor/random.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { forwardBackward } from '../support/backward.ts';
import { assertClose } from '../support/close.ts';
import { gpuSuite } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('over the limits', { limits: 'default' });
const LIMIT = 128 * 2 ** 20;

// ResNet-18's first layers on the smallest batch of 224 x 224 images whose output is above the limit: 128.6 MiB.
const BATCH = 42;
const SIZE = 224;
const HALF = 112;
const CHANNELS = 64;

/** A tensor of numbers in -1 .. 1 that depend only on the name, on the GPU, and the same numbers on the CPU. */
async function numbers(name: number, shape: number[]): Promise<{ tensor: Tensor; values: Float32Array }> {
  const tensor = randomUniform(gpu(), shape, [name, 7], -1, 1);
  return { tensor, values: await tensor.readFloats() };
}

/** Checks `count` random elements, the first and the last against a reference. */
function assertSamples(
  what: string,
  values: Float32Array,
  count: number,
  reference: (index: number) => number,
  tolerance = { rtol: 1e-4, atol: 1e-4 },
): void {
  const random = new Random(1, 'samples', what);
  const at = [0, values.length - 1, ...Array.from({ length: count }, () => random.integer(values.length))];
  assertClose(
    what,
    at.map((index) => values[index]),
    at.map(reference),
    tolerance,
  );
}

test("conv2d: ResNet-18's first layer on 42 images, 135 MB of output, and the gradient of its weight", async () => {
  using _ = gpu().scope();
  const x = await numbers(1, [BATCH, SIZE, SIZE, 3]);
  const weight = await numbers(2, [7, 7, 3, CHANNELS]);
  const seed = await numbers(3, [BATCH, HALF, HALF, CHANNELS]);
  assert.ok(seed.tensor.bytes > LIMIT);
  const op = () => conv2d(x.tensor, weight.tensor, { stride: 2, padding: 3 });
  const { output, gradients } = await forwardBackward(gpu(), [weight.tensor], op, seed.values);

  const pixel = (b: number, y: number, at: number, c: number) =>
    y < 0 || at < 0 || y >= SIZE || at >= SIZE ? 0 : x.values[((b * SIZE + y) * SIZE + at) * 3 + c];
  assertSamples('output', output, 300, (index) => {
    const [b, y, at, o] = place(index, [BATCH, HALF, HALF, CHANNELS]);
    let sum = 0;
    for (let tap = 0; tap < 7 * 7 * 3; tap++) {
      const [ky, kx, c] = place(tap, [7, 7, 3]);
      sum += pixel(b, 2 * y - 3 + ky, 2 * at - 3 + kx, c) * weight.values[tap * CHANNELS + o];
    }
    return sum;
  });
  const weightTolerance = { rtol: 1e-3, atol: 0.05 }; // sums of 526,848 products of both signs
  assertSamples(
    'gradient of the weight',
    gradients[0],
    6,
    (index) => {
      const [ky, kx, c, o] = place(index, [7, 7, 3, CHANNELS]);
      let sum = 0;
      for (let b = 0; b < BATCH; b++) {
        for (let y = 0; y < HALF; y++) {
          for (let at = 0; at < HALF; at++) {
            const grad = seed.values[((b * HALF + y) * HALF + at) * CHANNELS + o];
            sum += grad * pixel(b, 2 * y - 3 + ky, 2 * at - 3 + kx, c);
          }
        }
      }
      return sum;
    },
    weightTolerance,
  );
});

test('conv2d: 135 MB of input, and its gradient', async () => {
  using _ = gpu().scope();
  const [outChannels, quarter] = [8, HALF / 2];
  const x = await numbers(13, [BATCH, HALF, HALF, CHANNELS]);
  const weight = await numbers(14, [3, 3, CHANNELS, outChannels]);
  const seed = await numbers(15, [BATCH, quarter, quarter, outChannels]);
  const op = () => conv2d(x.tensor, weight.tensor, { stride: 2, padding: 1 });
  const { gradients } = await forwardBackward(gpu(), [x.tensor], op, seed.values);
  assertSamples('gradient of x', gradients[0], 1000, (index) => {
    const [b, y, at, c] = place(index, [BATCH, HALF, HALF, CHANNELS]);
    let sum = 0;
    for (let tap = 0; tap < 9; tap++) {
      const [toY, toX] = [(y + 1 - Math.floor(tap / 3)) / 2, (at + 1 - (tap % 3)) / 2];
      if (![toY, toX].every((to) => Number.isInteger(to) && to >= 0 && to < quarter)) continue;
      for (let o = 0; o < outChannels; o++) {
        const grad = seed.values[((b * quarter + toY) * quarter + toX) * outChannels + o];
        sum += grad * weight.values[(tap * CHANNELS + c) * outChannels + o];
      }
    }
    return sum;
  });
});

/** Coordinates of an element in a shape. */
function place(index: number, shape: readonly number[]): number[] {
  let rest = index;
  return shape
    .map((length) => length)
    .reverse()
    .map((length) => {
      const at = rest % length;
      rest = Math.floor(rest / length);
      return at;
    })
    .reverse();
}

test('batchNorm and maxPool2d on 135 MB', async () => {
  using _ = gpu().scope();
  const shape = [BATCH, HALF, HALF, CHANNELS];
  const x = await numbers(4, shape);
  const seed = await numbers(5, shape);
  const rows = BATCH * HALF * HALF;
  const gamma = await numbers(6, [CHANNELS]);
  const beta = await numbers(7, [CHANNELS]);
  const options = {
    runningMean: gpu().zeros([CHANNELS]),
    runningVar: gpu().zeros([CHANNELS]),
    training: true,
    momentum: 1,
  };
  const leaves = [x.tensor, gamma.tensor, beta.tensor];
  const op = () => batchNorm(x.tensor, gamma.tensor, beta.tensor, options);
  const { output, gradients } = await forwardBackward(gpu(), leaves, op, seed.values);

  const channel = {
    mean: new Float64Array(CHANNELS),
    gamma: new Float64Array(CHANNELS),
    beta: new Float64Array(CHANNELS),
  };
  const variance = new Float64Array(CHANNELS);
  const each = (body: (i: number, c: number) => void) => {
    for (let i = 0; i < x.values.length; i += CHANNELS) for (let c = 0; c < CHANNELS; c++) body(i + c, c);
  };
  each((i, c) => {
    channel.mean[c] += x.values[i] / rows;
  });
  each((i, c) => {
    variance[c] += (x.values[i] - channel.mean[c]) ** 2 / rows;
  });
  const inverse = variance.map((value) => 1 / Math.sqrt(value + 1e-5));
  const normalised = (i: number) => (x.values[i] - channel.mean[i % CHANNELS]) * inverse[i % CHANNELS];
  each((i, c) => {
    channel.beta[c] += seed.values[i];
    channel.gamma[c] += seed.values[i] * (x.values[i] - channel.mean[c]) * inverse[c];
  });
  assertClose('mean', await options.runningMean.readFloats(), channel.mean, { rtol: 0, atol: 1e-5 });
  const unbiased = variance.map((value) => (value * rows) / (rows - 1));
  assertClose('variance', await options.runningVar.readFloats(), unbiased, { rtol: 1e-4, atol: 0 });
  assertClose('gradient of gamma', gradients[1], channel.gamma, { rtol: 1e-3, atol: 0.05 });
  assertClose('gradient of beta', gradients[2], channel.beta, { rtol: 1e-3, atol: 0.05 });
  assertSamples('output', output, 1000, (i) => gamma.values[i % CHANNELS] * normalised(i) + beta.values[i % CHANNELS]);
  assertSamples('gradient of x', gradients[0], 1000, (i) => {
    const c = i % CHANNELS;
    const common = (channel.beta[c] + normalised(i) * channel.gamma[c]) / rows;
    return gamma.values[c] * inverse[c] * (seed.values[i] - common);
  });

  const pooled = await maxPool2d(x.tensor, { kernel: 3, stride: 2, padding: 1 }).readFloats();
  assertSamples('pooled', pooled, 1000, (index) => {
    const [b, y, at, c] = place(index, [BATCH, HALF / 2, HALF / 2, CHANNELS]);
    let best = Number.NEGATIVE_INFINITY;
    for (let tap = 0; tap < 9; tap++) {
      const [row, column] = [2 * y - 1 + Math.floor(tap / 3), 2 * at - 1 + (tap % 3)];
      if (row < 0 || column < 0 || row >= HALF || column >= HALF) continue;
      best = Math.max(best, x.values[((b * HALF + row) * HALF + column) * CHANNELS + c]);
    }
    return best;
  });
});

test('matmul of 530,000 rows, and both its gradients', async () => {
  using _ = gpu().scope();
  const [rows, inner, columns] = [530_000, 64, 12];
  const a = await numbers(8, [rows, inner]);
  const b = await numbers(9, [inner, columns]);
  const seed = await numbers(10, [rows, columns]);
  assert.ok(a.tensor.bytes > LIMIT);
  const op = () => matmul(a.tensor, b.tensor);
  const { output, gradients } = await forwardBackward(gpu(), [a.tensor, b.tensor], op, seed.values);
  const dot = (length: number, term: (i: number) => number) => {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += term(i);
    return sum;
  };
  assertSamples('output', output, 1000, (index) => {
    const [row, column] = place(index, [rows, columns]);
    return dot(inner, (i) => a.values[row * inner + i] * b.values[i * columns + column]);
  });
  assertSamples('gradient of a', gradients[0], 1000, (index) => {
    const [row, i] = place(index, [rows, inner]);
    return dot(columns, (column) => seed.values[row * columns + column] * b.values[i * columns + column]);
  });
  const sumTolerance = { rtol: 1e-3, atol: 0.05 }; // sums of 530,000 products of both signs
  assertSamples(
    'gradient of b',
    gradients[1],
    20,
    (index) => {
      const [i, column] = place(index, [inner, columns]);
      return dot(rows, (row) => a.values[row * inner + i] * seed.values[row * columns + column]);
    },
    sumTolerance,
  );
});

test('softmaxCrossEntropy of 34,000 rows of 1,000 classes', async () => {
  using _ = gpu().scope();
  const [rows, classes] = [34_000, 1000];
  const logits = await numbers(11, [rows, classes]);
  assert.ok(logits.tensor.bytes > LIMIT);
  const labels = Int32Array.from({ length: rows }, (_, row) => (row * 7) % classes);
  const target = gpu().tensor(labels, [rows]);
  const op = () => softmaxCrossEntropy(logits.tensor, target);
  const { output, gradients } = await forwardBackward(gpu(), [logits.tensor], op);
  const totals = new Float64Array(rows);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < classes; c++) totals[row] += Math.exp(logits.values[row * classes + c]);
    loss += (Math.log(totals[row]) - logits.values[row * classes + labels[row]]) / rows;
  }
  assertClose('loss', output, [loss], { rtol: 1e-5, atol: 0 });
  const scaled = { rtol: 1e-3, atol: 1e-11 };
  const gradient = (index: number) => {
    const [row, c] = place(index, [rows, classes]);
    return (Math.exp(logits.values[index]) / totals[row] - (c === labels[row] ? 1 : 0)) / rows;
  };
  assertSamples('gradient', gradients[0], 1000, gradient, scaled);
});

test('knn of 20,000 points, in more than 65,535 workgroups in all', async () => {
  using _ = gpu().scope();
  const [points, k] = [20_000, 20];
  const { tensor, values } = await numbers(12, [1, points, 3]);
  const neighbours = await knn(tensor, k).read();
  const random = new Random(1, 'rows');
  for (const row of [0, points - 1, ...Array.from({ length: 60 }, () => random.integer(points))]) {
    const distance = (j: number) =>
      [0, 1, 2].reduce((sum, c) => sum + (values[3 * row + c] - values[3 * j + c]) ** 2, 0);
    const order = Array.from({ length: points }, (_, j) => ({ j, d: distance(j) })).sort(
      (p, q) => p.d - q.d || p.j - q.j,
    );
    const found = [...neighbours.subarray(row * k, (row + 1) * k)];
    assert.equal(
      found,
      order.slice(0, k).map(({ j }) => j),
      `row ${row}`,
    );
  }
});

test.run();

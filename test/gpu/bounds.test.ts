/**
 * No kernel writes past the end of a tensor or skips an element, and all compute the same if their grid is folded into
 * rows. Each kernel runs with sizes that fill two workgroups exactly, and with others that do not and need more than a
 * row of the grid.
 */
import * as assert from 'uvu/assert';
import { batchNorm } from '../../src/autograd/batch_norm.ts';
import { concat } from '../../src/autograd/concat.ts';
import { conv2d } from '../../src/autograd/conv2d.ts';
import { edgeConv } from '../../src/autograd/edge_conv.ts';
import { fill } from '../../src/autograd/elementary.ts';
import { gather } from '../../src/autograd/gather.ts';
import { knn } from '../../src/autograd/knn.ts';
import { l2Normalize } from '../../src/autograd/l2_normalize.ts';
import { contrastive, rcll, softCrossEntropy, softmaxCrossEntropy } from '../../src/autograd/losses.ts';
import { matmul } from '../../src/autograd/matmul.ts';
import { maxPool2d } from '../../src/autograd/max_pool2d.ts';
import { add, div, sigmoid } from '../../src/autograd/pointwise.ts';
import { randomNormal, randomUniform } from '../../src/autograd/random.ts';
import { globalMaxPool, globalMeanPool } from '../../src/autograd/reduce.ts';
import { reverseGraph } from '../../src/autograd/reverse_graph.ts';
import { argmax, softmax } from '../../src/autograd/softmax.ts';
import { AdamW } from '../../src/model/adamw.ts';
import { Sgd } from '../../src/model/sgd.ts';
import { assign, update } from '../../src/romo/method/kmeans.ts';
import { MemoryBank } from '../../src/romo/method/memory_bank.ts';
import { sizeOf, type Tensor } from '../../src/tensor/tensor.ts';
import { forwardBackward } from '../support/backward.ts';
import { gpuSuite, VARIANTS, withVariant } from '../support/gpu.ts';
import { argument } from '../support/gradcheck.ts';
import { withGuards } from '../support/guards.ts';

const { test, gpu } = gpuSuite('bounds');

/** Runs `body` with and without guards; the returned numbers must be the same bits. */
async function holds(name: string, body: () => Promise<ArrayLike<number>[]>): Promise<void> {
  using _ = gpu().scope();
  const free = await body();
  const guarded = await withGuards(gpu(), name, body);
  for (const [number, values] of free.entries()) {
    const other = Array.from(values).findIndex((value, i) => !Object.is(value, guarded[number][i]));
    assert.is(other, -1, `${name}: result ${number} is ${guarded[number][other]} at ${other}, freely ${values[other]}`);
  }
}

const leaf = (name: string, shape: readonly number[]): Tensor => gpu().tensor(argument(name, shape).data, shape);

/** Integers below `end` as i32, in no particular order. */
const indices = (shape: readonly number[], end: number): Tensor =>
  gpu().tensor(
    Int32Array.from({ length: sizeOf(shape) }, (_, i) => (i * 7 + 3) % end),
    shape,
  );

/** An op with its gradients. */
function differentiates(
  name: string,
  shapes: readonly (readonly number[])[],
  op: (inputs: readonly Tensor[]) => Tensor,
) {
  return holds(`${name} ${shapes.map((shape) => `[${shape}]`)}`, async () => {
    const leaves = shapes.map((shape, i) => leaf(`${name} ${i}`, shape));
    const { output, gradients } = await forwardBackward(gpu(), leaves, () => op(leaves));
    return [output, ...gradients];
  });
}

test('matmul', async () => {
  for (const variant of VARIANTS) {
    await withVariant(gpu(), variant, async () => {
      for (const transposeA of [false, true]) {
        for (const [rows, inner, columns] of [
          [15, 3, 21],
          [8, 3, 8],
          [100, 140, 100],
          [13, 1028, 20], // the sum in splits
        ]) {
          const a = transposeA ? [2, inner, rows] : [2, rows, inner];
          await differentiates(`matmul ${variant}`, [a, [2, inner, columns]], ([x, y]) => matmul(x, y, { transposeA }));
        }
        const square = [2, 15, 15];
        await differentiates('matmul', [square, square], ([x, y]) => matmul(x, y, { transposeA, transposeB: true }));
      }
    });
  }
});

test('conv2d', async () => {
  for (const variant of VARIANTS) {
    await withVariant(gpu(), variant, async () => {
      for (const [channels, outChannels] of [
        [3, 5],
        [28, 44],
      ]) {
        const shapes = [
          [3, 13, 11, channels],
          [3, 3, channels, outChannels],
        ];
        // stride 1 uses 4x4 tiles if there are enough channels; 3 x 13 x 11 pixels are not a multiple of 4
        for (const stride of [1, 2]) {
          await differentiates(`conv2d ${variant}`, shapes, ([x, w]) => conv2d(x, w, { stride, padding: 1 }));
        }
      }
    });
  }
});

test('batchNorm', async () => {
  for (const channels of [128, 131, 512, 524]) {
    for (const training of [true, false]) {
      for (const slope of [0.2, 1]) {
        const shapes = [[9, channels], [channels], [channels], [9, channels]];
        await differentiates(`batchNorm, training ${training}`, shapes, ([x, gamma, beta, residual]) => {
          const [runningMean, runningVar] = [gpu().zeros([channels]), fill(gpu(), [channels], 1)];
          return batchNorm(x, gamma, beta, { training, slope, runningMean, runningVar, residual });
        });
      }
    }
    await differentiates('batchNorm', [[9, channels], [channels], [channels]], ([x, gamma, beta]) => {
      const [runningMean, runningVar] = [gpu().zeros([channels]), fill(gpu(), [channels], 1)];
      return batchNorm(x, gamma, beta, { training: true, runningMean, runningVar });
    });
  }
});

test('edgeConv', async () => {
  for (const channels of [128, 131, 512, 524]) {
    for (const training of [true, false]) {
      await differentiates('edgeConv', [[2, 7, 3], [6, channels], [channels], [channels]], ([x, w, gamma, beta]) => {
        const [runningMean, runningVar] = [gpu().zeros([channels]), fill(gpu(), [channels], 1)];
        const options = { training, slope: 0.2, runningMean, runningVar };
        return edgeConv(x, indices([2, 7, 3], 7), w, gamma, beta, options);
      });
    }
  }
});

test('reverseGraph, many clouds', async () => {
  for (const clouds of [128, 131]) {
    await holds('reverseGraph', async () => {
      const { starts, sources } = reverseGraph(indices([clouds, 3, 2], 3));
      return [await starts.read(), await sources.read()];
    });
  }
});

test('knn', async () => {
  for (const variant of VARIANTS) {
    await withVariant(gpu(), variant, async () => {
      for (const [batch, points, channels, k] of [
        [3, 49, 3, 7],
        [3, 52, 4, 9],
        [2, 64, 3, 5],
        [2, 64, 4, 5],
      ]) {
        await holds(`knn ${variant}`, async () => [await knn(leaf('points', [batch, points, channels]), k).read()]);
      }
    });
  }
});

test('kmeans', async () => {
  for (const [rows, clusters, channels] of [
    [150, 33, 5],
    [150, 33, 20],
    [128, 32, 4],
    [128, 64, 2],
    [128, 128, 4],
    [40, 60, 5], // the update alone needs three rows of the grid
  ]) {
    await holds(`kmeans of ${channels} channels`, async () => {
      const x = leaf('rows', [rows, channels]);
      const centres = leaf('centres', [clusters, channels]);
      const { labels, distances } = assign(x, centres);
      update(x, labels, centres);
      return [await labels.read(), await distances.read(), await centres.read()];
    });
  }
});

test('gather and concat', async () => {
  for (const [rows, picks, width] of [
    [41, 63, 5],
    [41, 63, 20],
    [64, 64, 2],
    [64, 64, 8],
  ]) {
    await differentiates('gather', [[rows, width]], ([x]) => gather(x, indices([picks], rows)));
    const parts = [
      [rows, width],
      [rows, 3 * width],
    ];
    await differentiates('concat', parts, (tensors) => concat(tensors, 1));
  }
});

test('pointwise', async () => {
  for (const count of [128, 301, 512, 1204]) {
    await differentiates('sigmoid', [[count]], ([x]) => sigmoid(x));
    await differentiates('add', [[5, count], [count]], ([x, y]) => add(x, y));
    await differentiates('div', [[count], [count]], ([x, y]) => div(x, y));
    await holds('fill', async () => [await fill(gpu(), [count], 2).read()]);
  }
});

test('pooling', async () => {
  for (const shape of [
    [3, 5, 47],
    [3, 5, 188],
    [2, 2, 62],
    [2, 2, 64],
    [2, 2, 256],
  ]) {
    await differentiates('globalMaxPool', [shape], ([x]) => globalMaxPool(x));
    await differentiates('globalMeanPool', [shape], ([x]) => globalMeanPool(x));
  }
  const options = { kernel: 3, stride: 2, padding: 1 };
  for (const shape of [
    [2, 9, 7, 5],
    [1, 8, 4, 4],
    [2, 8, 8, 4],
  ]) {
    await differentiates('maxPool2d', [shape], ([x]) => maxPool2d(x, options));
  }
});

test('losses with a row per workgroup, convolutions with many pixels', async () => {
  await withVariant(gpu(), 'gpu', async () => {
    for (const classes of [66, 128]) {
      const labels = () => indices([5], classes);
      await differentiates('softmaxCrossEntropy', [[5, classes]], ([x]) => softmaxCrossEntropy(x, labels()));
      await differentiates('rcll', [[5, classes]], ([x]) => rcll(x, labels()));
      const targets = () => leaf('targets', [5, classes]);
      await differentiates('softCrossEntropy', [[5, classes]], ([x]) => softCrossEntropy(x, targets()));
    }
  });
  const shapes = [
    [2, 16, 32, 16],
    [3, 3, 16, 16],
  ];
  for (const stride of [1, 2]) {
    await differentiates('conv2d', shapes, ([x, w]) => conv2d(x, w, { stride, padding: 1 }));
  }
});

test('losses, softmax, l2Normalize', async () => {
  for (const rows of [128, 150]) {
    const labels = () => indices([rows], 4);
    await differentiates('softmaxCrossEntropy', [[rows, 4]], ([x]) => softmaxCrossEntropy(x, labels()));
    await differentiates('softCrossEntropy', [[rows, 4]], ([x]) => softCrossEntropy(x, leaf('targets', [rows, 4])));
    await differentiates('rcll', [[rows, 4]], ([x]) => rcll(x, labels()));
    await differentiates('contrastive', [[rows, 4]], ([x]) => contrastive(x, { tau: 0.5 }));
    await differentiates('l2Normalize', [[rows, 4]], ([x]) => l2Normalize(x));
    await holds('softmax and argmax', async () => {
      const x = leaf('logits', [rows, 4]);
      return [await softmax(x).read(), await argmax(x).read()];
    });
  }
});

test('random numbers', async () => {
  for (const count of [128, 301]) {
    await holds('random', async () => {
      const [uniform, normal] = [randomUniform(gpu(), [count], [1, 2]), randomNormal(gpu(), [count], [1, 2])];
      return [await uniform.read(), await normal.read()];
    });
  }
});

test('memory bank', async () => {
  for (const count of [128, 150]) {
    await holds('memory bank', async () => {
      const bank = new MemoryBank(gpu(), argument('bank', [160, 5]).data, 5);
      const ids = gpu().tensor(
        Int32Array.from({ length: count }, (_, row) => 159 - row),
        [count],
      );
      bank.update(leaf('features', [count, 5]), ids, 0.5);
      const rows = await bank.rows.read();
      bank.dispose();
      return [rows];
    });
  }
});

test('optimizers', async () => {
  for (const count of [128, 301]) {
    for (const kind of [Sgd, AdamW]) {
      await holds(kind.name, async () => {
        const parameter = leaf('parameter', [count]);
        const options = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 };
        const optimizer = new kind(gpu(), new Map([['p', parameter]]), options);
        for (let step = 0; step < 2; step++) {
          parameter.grad = leaf(`gradient ${step}`, [count]);
          optimizer.step();
        }
        const values = await parameter.read();
        optimizer.dispose();
        return [values];
      });
    }
  }
});

test.run();

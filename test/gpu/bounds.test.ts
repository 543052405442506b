/**
 * No kernel writes past the end of a tensor, and all compute the same when their grid is folded into rows. The sizes are no
 * multiples of a workgroup, and large enough that every kernel has more workgroups than fit into one row of the folded grid.
 */
import * as assert from 'uvu/assert';
import { batchNorm } from '../../src/autograd/batch_norm.ts';
import { concat } from '../../src/autograd/concat.ts';
import { conv2d } from '../../src/autograd/conv2d.ts';
import { edgeConv } from '../../src/autograd/edge_conv.ts';
import { fill } from '../../src/autograd/elementary.ts';
import { gather } from '../../src/autograd/gather.ts';
import { globalMaxPool, globalMeanPool } from '../../src/autograd/global_pool.ts';
import { knn } from '../../src/autograd/knn.ts';
import { l2Normalize } from '../../src/autograd/l2_normalize.ts';
import { contrastive, rcll, softCrossEntropy, softmaxCrossEntropy } from '../../src/autograd/losses.ts';
import { matmul } from '../../src/autograd/matmul.ts';
import { maxPool2d } from '../../src/autograd/max_pool2d.ts';
import { add, div, sigmoid } from '../../src/autograd/pointwise.ts';
import { randomNormal, randomUniform } from '../../src/autograd/random.ts';
import { reverseGraph } from '../../src/autograd/reverse_graph.ts';
import { argmax, softmax } from '../../src/autograd/softmax.ts';
import { Sgd } from '../../src/model/sgd.ts';
import { assign, update } from '../../src/romo/kmeans.ts';
import { MemoryBank } from '../../src/romo/memory_bank.ts';
import { sizeOf, type Tensor } from '../../src/tensor/tensor.ts';
import { forwardBackward } from '../support/backward.ts';
import { gpuSuite, VARIANTS, withVariant } from '../support/gpu.ts';
import { argument } from '../support/gradcheck.ts';
import { withGuards } from '../support/guards.ts';

const { test, gpu } = gpuSuite('bounds');

/** Runs `body` freely and under guards: the numbers that it returns must be the same bits. */
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

/** Whole numbers below `end` as i32, in no particular order. */
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
          [100, 140, 100],
          [13, 1028, 20], // the sum in parts
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
        for (const stride of [1, 2]) {
          await differentiates(`conv2d ${variant}`, shapes, ([x, w]) => conv2d(x, w, { stride, padding: 1 }));
        }
      }
    });
  }
});

test('batchNorm', async () => {
  for (const channels of [131, 524]) {
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
  for (const channels of [131, 524]) {
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
  await holds('reverseGraph', async () => {
    const { starts, sources } = reverseGraph(indices([131, 3, 2], 3));
    return [await starts.read(), await sources.read()];
  });
});

test('knn', async () => {
  for (const variant of VARIANTS) {
    await withVariant(gpu(), variant, async () => {
      for (const [points, channels, k] of [
        [49, 3, 7],
        [52, 4, 9],
      ]) {
        await holds(`knn ${variant}`, async () => [await knn(leaf('points', [3, points, channels]), k).read()]);
      }
    });
  }
});

test('kmeans', async () => {
  for (const channels of [5, 20]) {
    await holds(`kmeans of ${channels} channels`, async () => {
      const x = leaf('rows', [150, channels]);
      const centres = leaf('centres', [33, channels]);
      const { labels, distances } = assign(x, centres);
      update(x, labels, centres);
      return [await labels.read(), await distances.read(), await centres.read()];
    });
  }
});

test('gather and concat', async () => {
  for (const width of [5, 20]) {
    await differentiates('gather', [[41, width]], ([x]) => gather(x, indices([63], 41)));
    const parts = [
      [41, width],
      [41, 3 * width],
    ];
    await differentiates('concat', parts, (tensors) => concat(tensors, 1));
  }
});

test('pointwise', async () => {
  for (const count of [301, 1204]) {
    await differentiates('sigmoid', [[count]], ([x]) => sigmoid(x));
    await differentiates('add', [[5, count], [count]], ([x, y]) => add(x, y));
    await differentiates('div', [[count], [count]], ([x, y]) => div(x, y));
    await holds('fill', async () => [await fill(gpu(), [count], 2).read()]);
  }
});

test('pooling', async () => {
  for (const channels of [47, 188]) {
    await differentiates('globalMaxPool', [[3, 5, channels]], ([x]) => globalMaxPool(x));
    await differentiates('globalMeanPool', [[3, 5, channels]], ([x]) => globalMeanPool(x));
  }
  await differentiates('maxPool2d', [[2, 9, 7, 5]], ([x]) => maxPool2d(x, { kernel: 3, stride: 2, padding: 1 }));
});

test('losses, softmax, l2Normalize', async () => {
  const labels = () => indices([150], 4);
  await differentiates('softmaxCrossEntropy', [[150, 4]], ([x]) => softmaxCrossEntropy(x, labels()));
  await differentiates('softCrossEntropy', [[150, 4]], ([x]) => softCrossEntropy(x, leaf('targets', [150, 4])));
  await differentiates('rcll', [[150, 4]], ([x]) => rcll(x, labels()));
  await differentiates('contrastive', [[150, 4]], ([x]) => contrastive(x, { tau: 0.5 }));
  await differentiates('l2Normalize', [[150, 4]], ([x]) => l2Normalize(x));
  await holds('softmax and argmax', async () => {
    const x = leaf('logits', [150, 4]);
    return [await softmax(x).read(), await argmax(x).read()];
  });
});

test('random numbers', async () => {
  await holds('random', async () => {
    const [uniform, normal] = [randomUniform(gpu(), [301], [1, 2]), randomNormal(gpu(), [301], [1, 2])];
    return [await uniform.read(), await normal.read()];
  });
});

test('memory bank', async () => {
  await holds('memory bank', async () => {
    const bank = new MemoryBank(gpu(), argument('bank', [160, 5]).data, 5);
    const ids = gpu().tensor(
      Int32Array.from({ length: 150 }, (_, row) => 159 - row),
      [150],
    );
    bank.update(leaf('features', [150, 5]), ids, 0.5);
    const rows = await bank.rows.read();
    bank.dispose();
    return [rows];
  });
});

test('sgd', async () => {
  await holds('sgd', async () => {
    const parameter = leaf('parameter', [301]);
    const sgd = new Sgd(gpu(), new Map([['p', parameter]]), { learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 });
    for (let step = 0; step < 2; step++) {
      parameter.grad = leaf(`gradient ${step}`, [301]);
      sgd.step();
    }
    const values = await parameter.read();
    sgd.dispose();
    return [values];
  });
});

test.run();

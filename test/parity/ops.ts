/** Fixtures of single ops: everything that is not a model. */
import { batchNorm } from '../../src/autograd/batch_norm.ts';
import { conv2d } from '../../src/autograd/conv2d.ts';
import { edgeConv } from '../../src/autograd/edge_conv.ts';
import { knn } from '../../src/autograd/knn.ts';
import { l2Normalize } from '../../src/autograd/l2_normalize.ts';
import { contrastive, rcll, softmaxCrossEntropy } from '../../src/autograd/losses.ts';
import { matmul } from '../../src/autograd/matmul.ts';
import { maxPool2d } from '../../src/autograd/max_pool2d.ts';
import { clusterAccuracy, meanAveragePrecision } from '../../src/romo/figures/metrics.ts';
import type { Gpu } from '../../src/tensor/device.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { rcllReleased } from '../reference/rcll.ts';
import { forwardBackward } from '../support/backward.ts';
import { assertClose } from '../support/close.ts';
import { channelsLast, type Fixture, kernelFirst, kernelLast, type Laid, transpose } from '../support/fixture.ts';

/** Compares what the engine computes with a fixture; throws if they differ. */
export type Handler = (gpu: Gpu, fixture: Fixture) => Promise<void> | void;

/** A tensor of the file, converted from PyTorch's layout to ours: [B, C, ...] -> [B, ..., C]. */
function laid(fixture: Fixture, name: string): Laid {
  return channelsLast(fixture.floats(name), fixture.get(name).shape);
}

function upload(gpu: Gpu, { data, shape }: Laid): Tensor {
  return gpu.tensor(data, shape);
}

/** A tensor of the file as it is. */
function raw(gpu: Gpu, fixture: Fixture, name: string): Tensor {
  const { data, shape } = fixture.get(name);
  return gpu.tensor(data, shape);
}

/** A scalar loss of logits and labels: its value and its gradient. */
function lossOfLogits(loss: (logits: Tensor, labels: Tensor, fixture: Fixture) => Tensor): Handler {
  return async (gpu, fixture) => {
    const logits = raw(gpu, fixture, 'in.logits');
    const labels = raw(gpu, fixture, 'in.labels');
    const { output, gradients } = await forwardBackward(gpu, [logits], () => loss(logits, labels, fixture));
    assertClose('loss', output, fixture.floats('out.loss'), fixture);
    assertClose('gradient of logits', gradients[0], fixture.floats('grad.logits'), fixture);
  };
}

export const ops: Readonly<Record<string, Handler>> = {
  async matmul(gpu, fixture) {
    const a = raw(gpu, fixture, 'in.a');
    const b = raw(gpu, fixture, 'in.b');
    const seed = fixture.floats('grad_out.y');
    const { output, gradients } = await forwardBackward(gpu, [a, b], () => matmul(a, b), seed);
    assertClose('y', output, fixture.floats('out.y'), fixture);
    assertClose('gradient of a', gradients[0], fixture.floats('grad.a'), fixture);
    assertClose('gradient of b', gradients[1], fixture.floats('grad.b'), fixture);
  },

  async conv2d(gpu, fixture) {
    const { stride, padding } = fixture.attrs;
    const weightShape = fixture.get('in.w').shape;
    const x = upload(gpu, laid(fixture, 'in.x'));
    const weight = upload(gpu, kernelLast(fixture.floats('in.w'), weightShape));
    const seed = laid(fixture, 'grad_out.y').data;
    const op = () => conv2d(x, weight, { stride, padding });
    const { output, gradients } = await forwardBackward(gpu, [x, weight], op, seed);
    assertClose('y', output, laid(fixture, 'out.y').data, fixture);
    assertClose('gradient of x', gradients[0], laid(fixture, 'grad.x').data, fixture);
    assertClose('gradient of w', kernelFirst(gradients[1], weightShape), fixture.floats('grad.w'), fixture);
  },

  async batch_norm(gpu, fixture) {
    const { momentum, eps } = fixture.attrs;
    const x = upload(gpu, laid(fixture, 'in.x'));
    const gamma = raw(gpu, fixture, 'in.gamma');
    const beta = raw(gpu, fixture, 'in.beta');
    const runningMean = raw(gpu, fixture, 'in.running_mean');
    const runningVar = raw(gpu, fixture, 'in.running_var');
    const options = { runningMean, runningVar, momentum, eps };
    // Evaluation first: training changes the running statistics, and the fixture evaluates with the original ones.
    const evaluated = await batchNorm(x, gamma, beta, { ...options, training: false }).readFloats();
    assertClose('y in evaluation', evaluated, laid(fixture, 'out.y_eval').data, fixture);
    const seed = laid(fixture, 'grad_out.y').data;
    const op = () => batchNorm(x, gamma, beta, { ...options, training: true });
    const { output, gradients } = await forwardBackward(gpu, [x, gamma, beta], op, seed);
    assertClose('y', output, laid(fixture, 'out.y').data, fixture);
    assertClose('running mean', await runningMean.readFloats(), fixture.floats('out.running_mean'), fixture);
    assertClose('running variance', await runningVar.readFloats(), fixture.floats('out.running_var'), fixture);
    assertClose('gradient of x', gradients[0], laid(fixture, 'grad.x').data, fixture);
    assertClose('gradient of gamma', gradients[1], fixture.floats('grad.gamma'), fixture);
    assertClose('gradient of beta', gradients[2], fixture.floats('grad.beta'), fixture);
  },

  async max_pool2d(gpu, fixture) {
    const { kernel, stride, padding } = fixture.attrs;
    const x = upload(gpu, laid(fixture, 'in.x'));
    const seed = laid(fixture, 'grad_out.y').data;
    const { output, gradients } = await forwardBackward(
      gpu,
      [x],
      () => maxPool2d(x, { kernel, stride, padding }),
      seed,
    );
    assertClose('y', output, laid(fixture, 'out.y').data, fixture);
    assertClose('gradient of x', gradients[0], laid(fixture, 'grad.x').data, fixture);
  },

  async l2_normalize(gpu, fixture) {
    const x = raw(gpu, fixture, 'in.x');
    const seed = fixture.floats('grad_out.y');
    const { output, gradients } = await forwardBackward(gpu, [x], () => l2Normalize(x), seed);
    assertClose('y', output, fixture.floats('out.y'), fixture);
    assertClose('gradient of x', gradients[0], fixture.floats('grad.x'), fixture);
  },

  async edge_conv(gpu, fixture) {
    const { eps, slope } = fixture.attrs;
    const [outChannels, edgeChannels] = fixture.get('in.w').shape;
    const x = upload(gpu, laid(fixture, 'in.x'));
    const neighbours = raw(gpu, fixture, 'in.idx');
    const weight = gpu.tensor(transpose(fixture.floats('in.w'), [outChannels, edgeChannels]), [
      edgeChannels,
      outChannels,
    ]);
    const gamma = raw(gpu, fixture, 'in.gamma');
    const beta = raw(gpu, fixture, 'in.beta');
    const runningMean = gpu.zeros([outChannels]);
    const runningVar = gpu.zeros([outChannels]);
    const options = { runningMean, runningVar, momentum: 0.1, eps, training: true, slope };
    const op = () => edgeConv(x, neighbours, weight, gamma, beta, options);
    const seed = laid(fixture, 'grad_out.y').data;
    const { output, gradients } = await forwardBackward(gpu, [x, weight, gamma, beta], op, seed);
    assertClose('y', output, laid(fixture, 'out.y').data, fixture);
    assertClose('gradient of x', gradients[0], laid(fixture, 'grad.x').data, fixture);
    const gradientOfWeight = transpose(gradients[1], [edgeChannels, outChannels]);
    assertClose('gradient of w', gradientOfWeight, fixture.floats('grad.w'), fixture);
    assertClose('gradient of gamma', gradients[2], fixture.floats('grad.gamma'), fixture);
    assertClose('gradient of beta', gradients[3], fixture.floats('grad.beta'), fixture);
  },

  async knn(gpu, fixture) {
    const { k } = fixture.attrs;
    const neighbours = await knn(upload(gpu, laid(fixture, 'in.x')), k).read();
    // The file does not define the order within a row, so rows are compared as sets.
    const sortedRows = (indices: ArrayLike<number>) =>
      Array.from({ length: indices.length / k }, (_, row) =>
        Array.from({ length: k }, (_, slot) => indices[row * k + slot]).sort((a, b) => a - b),
      ).flat();
    assertClose('idx', sortedRows(neighbours), sortedRows(fixture.ints('out.idx')), { rtol: 0, atol: 0 });
  },

  softmax_cross_entropy: lossOfLogits((logits, labels) => softmaxCrossEntropy(logits, labels)),
  rcll: lossOfLogits((logits, labels, { attrs: { alpha, threshold } }) => rcll(logits, labels, { alpha, threshold })),

  async cross_modal_contrastive(gpu, fixture) {
    const features = raw(gpu, fixture, 'in.features');
    const op = () => contrastive(features, { tau: fixture.attrs.tau });
    const { output, gradients } = await forwardBackward(gpu, [features], op);
    assertClose('loss', output, fixture.floats('out.loss'), fixture);
    assertClose('gradient of features', gradients[0], fixture.floats('grad.features'), fixture);
  },

  /** The defect of the released code is documented, not implemented: only the reference computes it. */
  rcll_released(_gpu, fixture) {
    const { alpha, K } = fixture.attrs;
    const { loss, gradient } = rcllReleased(fixture.floats('in.logits'), fixture.ints('in.labels'), { alpha, K });
    assertClose('loss', [loss], fixture.floats('out.loss'), fixture);
    assertClose('gradient of logits', gradient, fixture.floats('grad.logits'), fixture);
  },

  mean_average_precision(_gpu, fixture) {
    const precision = meanAveragePrecision(
      fixture.floats('in.queries'),
      fixture.ints('in.query_labels'),
      fixture.floats('in.gallery'),
      fixture.ints('in.gallery_labels'),
      fixture.get('in.queries').shape[1],
    );
    assertClose('mAP', [precision], fixture.floats('out.map'), fixture);
  },

  cluster_accuracy(_gpu, fixture) {
    const { classes } = fixture.attrs;
    const accuracy = clusterAccuracy(fixture.ints('in.predicted'), fixture.ints('in.truth'), classes, classes);
    assertClose('accuracy', [accuracy], fixture.floats('out.accuracy'), fixture);
  },
};

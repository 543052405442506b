/**
 * Batch normalisation with the activation and the residual sum that usually follow it. Kernels:
 * shaders/batch_norm.wgsl. Float64 reference: test/reference/batch_norm.ts. Source: Ioffe and Szegedy 2015.
 */
import source from '../shaders/batch_norm.wgsl';
import { shapeError } from '../tensor/error.ts';
import { kernelPair, program } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { columnSums } from './elementary.ts';
import { differentiable } from './tape.ts';

const batchNormProgram = program('batch_norm', source);
const momentsKernel = kernelPair(batchNormProgram, 'moments');
const statisticsKernel = kernelPair(batchNormProgram, 'statistics');
const runningKernel = kernelPair(batchNormProgram, 'runningStatistics');
const applyKernel = kernelPair(batchNormProgram, 'apply');
const applyResidualKernel = kernelPair(batchNormProgram, 'apply', { RESIDUAL: 1 });
const activationKernel = kernelPair(batchNormProgram, 'activationGradient');
const sumsKernel = kernelPair(batchNormProgram, 'gradientSums');
const inputKernel = kernelPair(batchNormProgram, 'inputGradient');

export interface BatchNormOptions {
  runningMean: Tensor;
  runningVar: Tensor;
  training: boolean;
  /** share of the new statistics; default 0.1 */
  momentum?: number;
  /** added to the variance; default 1e-5 */
  eps?: number;
  /** slope of the activation below zero: 1 (default) none, 0 ReLU, else leaky ReLU */
  slope?: number;
  /** added before the activation; same shape as x */
  residual?: Tensor;
}

type Inputs = { x: Tensor; gamma: Tensor; beta: Tensor; residual: Tensor | undefined };

function sizesOf(x: Tensor, { momentum = 0.1, eps = 1e-5, slope = 1, training }: BatchNormOptions) {
  const [rows, channels] = [x.rows, x.channels];
  const chunk = Math.max(16, Math.ceil(Math.sqrt(rows))); // balances the two passes over the rows
  const chunks = Math.ceil(rows / chunk);
  return { rows, channels, chunk, chunks, epsilon: eps, momentum, slope, training: training ? 1 : 0, total: rows };
}

/** The rows of `count` chunks from number `from` on; the last chunk may be short. */
const rowsOfChunks =
  ({ rows, chunk }: BatchNormSizes) =>
  (from: number, count: number) => ({
    rows: Math.min(rows - from * chunk, count * chunk),
  });

/** The sizes that the kernels of this file share; also for EdgeConv, whose rows are edges. */
export type BatchNormSizes = ReturnType<typeof sizesOf>;

/**
 * Mean and 1 / std [channels, 2]: joined from the chunks' moments [chunks, channels, 2], which also moves the running
 * statistics; without moments, these.
 */
export function statisticsOf(moments: Tensor | null, sizes: BatchNormSizes, options: BatchNormOptions): Tensor {
  const { runningMean, runningVar } = options;
  const statistics = runningMean.gpu.empty([sizes.channels, 2]);
  const bindings = { statisticsOut: statistics, runningMean, runningVar };
  if (moments) launch(statisticsKernel, { momentsIn: moments, ...bindings }, sizes, { invocations: sizes.channels });
  else launch(runningKernel, bindings, sizes, { invocations: sizes.channels });
  return statistics;
}

/** The gradient before the activation, from the activation's output and its gradient. */
export function activationGradient(output: Tensor, grad: Tensor, sizes: BatchNormSizes): Tensor {
  if (sizes.slope === 1) return grad;
  const out = output.gpu.empty(output.shape);
  launch(activationKernel, { x: output, grad, out }, sizes, { along: 'rows' });
  return out;
}

function check({ x, gamma, beta, residual }: Inputs, { runningMean, runningVar }: BatchNormOptions): void {
  for (const [name, tensor] of Object.entries({ gamma, beta, runningMean, runningVar })) {
    if (tensor.size === x.channels) continue;
    throw shapeError('batchNorm', 'sizes differ', { [name]: tensor, x }, `${name} needs ${x.channels} elements.`);
  }
  if (residual && residual.size !== x.size) {
    throw shapeError('batchNorm', 'sizes differ', { residual, x }, 'residual and x must have one shape.');
  }
}

const op = differentiable({
  name: 'batchNorm',
  forward(inputs: Inputs, options: BatchNormOptions) {
    check(inputs, options);
    const { x, gamma, beta, residual } = inputs;
    const { gpu, channels } = x;
    const sizes = sizesOf(x, options);
    const moments = options.training ? gpu.empty([sizes.chunks, channels, 2]) : null;
    if (moments) {
      launch(momentsKernel, { x, momentsOut: moments }, sizes, {
        along: 'chunks',
        per: { x: sizes.chunk * channels },
        sizesOf: rowsOfChunks(sizes),
        invocations: sizes.chunks * channels,
      });
    }
    const statistics = statisticsOf(moments, sizes, options);
    const out = gpu.empty(x.shape);
    const bindings = { x, gamma, beta, statisticsIn: statistics, out };
    const rows = { along: 'rows', whole: ['gamma', 'beta', 'statisticsIn'] };
    // Without a residual the kernel reads none, but something must be bound.
    launch(residual ? applyResidualKernel : applyKernel, { ...bindings, residual: residual ?? x }, sizes, rows);
    return { output: out, saved: { statistics } };
  },
  backward(grad, { inputs: { x, gamma, beta, residual }, options, output, saved: { statistics } }) {
    const { gpu, channels } = x;
    const forward = sizesOf(x, options);
    // A residual needs the gradient before the activation as a tensor; otherwise the kernels below compute it.
    const before = residual ? activationGradient(output, grad, forward) : grad;
    const sizes = residual ? { ...forward, slope: 1 } : forward;
    const ofChannels = { gamma, beta, statisticsIn: statistics };
    const gammaSums = gpu.empty([sizes.chunks, channels]);
    const betaSums = gpu.empty([sizes.chunks, channels]);
    launch(sumsKernel, { x, ...ofChannels, grad: before, gammaSums, betaSums }, sizes, {
      along: 'chunks',
      whole: Object.keys(ofChannels),
      per: { x: sizes.chunk * channels, grad: sizes.chunk * channels },
      sizesOf: rowsOfChunks(sizes),
      invocations: sizes.chunks * channels,
    });
    const gammaGrad = columnSums(gammaSums, 1, channels).view(gamma.shape);
    const betaGrad = columnSums(betaSums, 1, channels).view(gamma.shape);
    return {
      x: () => {
        const out = gpu.empty(x.shape);
        const shared = { ...ofChannels, gammaGrad, betaGrad };
        const bindings = { x, ...shared, grad: before, out };
        launch(inputKernel, bindings, sizes, { along: 'rows', whole: Object.keys(shared) });
        return out;
      },
      gamma: () => gammaGrad,
      beta: () => betaGrad,
      residual: () => before,
    };
  },
});

/**
 * y = act(gamma (x - mean) / sqrt(var + eps) + beta [+ residual]) over all axes but the last, act(v) = v where v > 0,
 * else slope v. x [..., C], gamma and beta [C]. Training uses the batch's biased variance and moves the running
 * statistics (unbiased variance) by `momentum`; evaluation uses the running statistics. Gradients, with n rows, xh the
 * normalised x and g the gradient before the activation: dbeta = sum g, dgamma = sum g xh, dx = gamma / std (g - dbeta
 * / n - xh dgamma / n); in evaluation dx = gamma / std g. Throws `shape` where sizes differ.
 */
export function batchNorm(x: Tensor, gamma: Tensor, beta: Tensor, options: BatchNormOptions): Tensor {
  return op({ x, gamma, beta, residual: options.residual }, options);
}

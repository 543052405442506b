/**
 * Batch normalisation over all axes but the last, with the activation and the residual sum that usually follow it:
 * y = act(gamma (x - mean) / sqrt(var + eps) + beta [+ residual]), act(v) = v where v > 0, else slope v.
 * Training uses the batch's biased variance and moves the running statistics (unbiased variance) by `momentum`.
 * Source: Ioffe and Szegedy 2015. With n rows and xh the normalised x, g the gradient before the activation:
 * dbeta = sum g, dgamma = sum g xh, dx = gamma / std (g - dbeta / n - xh dgamma / n); in evaluation dx = gamma / std g.
 */
import source from '../shaders/batch_norm.wgsl';
import { RomoError } from '../tensor/error.ts';
import { kernelPair, program } from '../tensor/kernel.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { columnSums, dispatchPair } from './elementary.ts';
import { differentiable } from './tape.ts';

const batchNormProgram = program('batch_norm', source);
const momentsKernel = kernelPair(batchNormProgram, 'moments');
const statisticsKernel = kernelPair(batchNormProgram, 'statistics');
const runningKernel = kernelPair(batchNormProgram, 'runningStatistics');
const applyKernel = kernelPair(batchNormProgram, 'apply');
const applyResidualKernel = kernelPair(batchNormProgram, 'applyResidual');
const activationKernel = kernelPair(batchNormProgram, 'activationGradient');
const sumsKernel = kernelPair(batchNormProgram, 'gradientSums');
const inputKernel = kernelPair(batchNormProgram, 'inputGradient');

export interface BatchNormOptions {
  runningMean: Tensor;
  runningVar: Tensor;
  training: boolean;
  /** share of the new statistics; default 0.1 */
  momentum?: number;
  eps?: number;
  /** slope of the activation below zero: 1 (default) none, 0 ReLU, else leaky ReLU */
  slope?: number;
  /** added before the activation; same shape as x */
  residual?: Tensor;
}

interface Inputs extends Record<string, Tensor | undefined> {
  x: Tensor;
  gamma: Tensor;
  beta: Tensor;
  residual: Tensor | undefined;
}

function sizesOf(x: Tensor, { momentum = 0.1, eps = 1e-5, slope = 1, training }: BatchNormOptions) {
  const [rows, channels] = [x.rows, x.channels];
  const chunk = Math.max(16, Math.ceil(Math.sqrt(rows))); // balances the two passes over the rows
  const chunks = Math.ceil(rows / chunk);
  return { rows, channels, chunk, chunks, epsilon: eps, momentum, slope, training: training ? 1 : 0 };
}

/** The sizes that the kernels of this file share; also for EdgeConv, whose rows are edges. */
export type BatchNormSizes = ReturnType<typeof sizesOf>;

/** Joins the chunks' moments [chunks, channels, 2] to mean and 1 / std [channels, 2] and moves the running statistics. */
export function joinMoments(
  moment: Tensor,
  sizes: BatchNormSizes,
  { runningMean, runningVar }: BatchNormOptions,
): Tensor {
  const statistic = moment.gpu.empty([sizes.channels, 2]);
  const bindings = { moments_: moment, statistic, runningMean, runningVar };
  dispatchPair(moment.gpu, statisticsKernel, bindings, sizes, sizes.channels);
  return statistic;
}

/** Mean and 1 / std [channels, 2] from the running statistics. */
export function runningMoments(sizes: BatchNormSizes, { runningMean, runningVar }: BatchNormOptions): Tensor {
  const statistic = runningMean.gpu.empty([sizes.channels, 2]);
  dispatchPair(runningMean.gpu, runningKernel, { statistic, runningMean, runningVar }, sizes, sizes.channels);
  return statistic;
}

/** The gradient before the activation, from the activation's output and its gradient. */
export function activationGradient(output: Tensor, grad: Tensor, sizes: BatchNormSizes): Tensor {
  if (sizes.slope === 1) return grad;
  const before = output.gpu.empty(output.shape);
  dispatchPair(output.gpu, activationKernel, { x: output, grad, out: before }, sizes, output.size);
  return before;
}

const op = differentiable<Inputs, BatchNormOptions, { statistic: Tensor }>({
  name: 'batchNorm',
  forward({ x, gamma, beta, residual }, options) {
    const { gpu, channels } = x;
    for (const [name, tensor] of Object.entries({
      gamma,
      beta,
      runningMean: options.runningMean,
      runningVar: options.runningVar,
    })) {
      if (tensor.size !== channels) {
        throw new RomoError(
          'shape',
          `batchNorm: ${name} is [${tensor.shape}], x is [${x.shape}]`,
          `It needs ${channels} elements.`,
        );
      }
    }
    if (residual && residual.size !== x.size) {
      throw new RomoError(
        'shape',
        `batchNorm: residual is [${residual.shape}], x is [${x.shape}]`,
        'They must be equal.',
      );
    }
    const sizes = sizesOf(x, options);
    let statistic: Tensor;
    if (options.training) {
      const moment = gpu.empty([sizes.chunks, channels, 2]);
      dispatchPair(gpu, momentsKernel, { x, moment }, sizes, sizes.chunks * channels);
      statistic = joinMoments(moment, sizes, options);
    } else statistic = runningMoments(sizes, options);
    const output = gpu.empty(x.shape);
    const bindings = { x, gamma, beta, statistics_: statistic, out: output };
    if (residual) dispatchPair(gpu, applyResidualKernel, { ...bindings, residual }, sizes, x.size);
    else dispatchPair(gpu, applyKernel, bindings, sizes, x.size);
    return { output, saved: { statistic } };
  },
  backward(grad, { inputs: { x, gamma }, options, output, saved: { statistic } }) {
    const { gpu } = x;
    const sizes = sizesOf(x, options);
    const before = activationGradient(output, grad, sizes);
    const gammaSums = gpu.empty([sizes.chunks, x.channels]);
    const betaSums = gpu.empty([sizes.chunks, x.channels]);
    dispatchPair(
      gpu,
      sumsKernel,
      { x, statistics_: statistic, grad: before, gammaSums, betaSums },
      sizes,
      gammaSums.size,
    );
    const gammaGrad = columnSums(gammaSums, 1, x.channels).view(gamma.shape);
    const betaGrad = columnSums(betaSums, 1, x.channels).view(gamma.shape);
    return {
      x: () => {
        const out = gpu.empty(x.shape);
        dispatchPair(
          gpu,
          inputKernel,
          { x, gamma, statistics_: statistic, grad: before, gammaGrad, betaGrad, out },
          sizes,
          x.size,
        );
        return out;
      },
      gamma: () => gammaGrad,
      beta: () => betaGrad,
      residual: () => before,
    };
  },
});

/** x [..., C], gamma and beta [C]. See the head of this file. */
export function batchNorm(x: Tensor, gamma: Tensor, beta: Tensor, options: BatchNormOptions): Tensor {
  return op({ x, gamma, beta, residual: options.residual }, options);
}

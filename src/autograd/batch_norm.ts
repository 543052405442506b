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
import { parts } from '../tensor/launch.ts';
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
  return { rows, channels, chunk, chunks, epsilon: eps, momentum, slope, training: training ? 1 : 0, total: rows };
}

/** The sizes for `count` chunks from number `from` on. */
function chunksOf(sizes: BatchNormSizes, from: number, count: number): BatchNormSizes {
  const { rows, chunk } = sizes;
  return { ...sizes, chunks: count, rows: Math.min(rows - from * chunk, count * chunk) };
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
  const { rows: items, channels } = sizes;
  const per = { x: channels, grad: channels, out: channels };
  for (const { tensors, count } of parts(output.gpu, { x: output, grad, out: before }, { items, per })) {
    dispatchPair(output.gpu, activationKernel, tensors, { ...sizes, rows: count }, tensors.out.size);
  }
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
      const per = { x: sizes.chunk * channels, moment: 2 * channels };
      for (const { tensors, from, count } of parts(gpu, { x, moment }, { items: sizes.chunks, per })) {
        dispatchPair(gpu, momentsKernel, tensors, chunksOf(sizes, from, count), count * channels);
      }
      statistic = joinMoments(moment, sizes, options);
    } else statistic = runningMoments(sizes, options);
    const output = gpu.empty(x.shape);
    const plain = { x, gamma, beta, statistics_: statistic, out: output };
    const bindings: Record<string, Tensor> = residual ? { ...plain, residual } : plain;
    const cut = { items: sizes.rows, per: { x: channels, residual: channels, out: channels } };
    for (const { tensors, count } of parts(gpu, bindings, cut)) {
      const launched = residual ? applyResidualKernel : applyKernel;
      dispatchPair(gpu, launched, tensors, { ...sizes, rows: count }, tensors.out.size);
    }
    return { output, saved: { statistic } };
  },
  backward(grad, { inputs: { x, gamma, beta, residual }, options, output, saved: { statistic } }) {
    const { gpu } = x;
    const forward = sizesOf(x, options);
    // A residual wants the gradient before the activation as a tensor; else the kernels below find it as they go.
    const before = residual ? activationGradient(output, grad, forward) : grad;
    const sizes = residual ? { ...forward, slope: 1 } : forward;
    const gammaSums = gpu.empty([sizes.chunks, x.channels]);
    const betaSums = gpu.empty([sizes.chunks, x.channels]);
    const { channels } = x;
    const ofChunk = sizes.chunk * channels;
    const sums = { x, gamma, beta, statistics_: statistic, grad: before, gammaSums, betaSums };
    const cut = { items: sizes.chunks, per: { x: ofChunk, grad: ofChunk, gammaSums: channels, betaSums: channels } };
    for (const { tensors, from, count } of parts(gpu, sums, cut)) {
      dispatchPair(gpu, sumsKernel, tensors, chunksOf(sizes, from, count), count * channels);
    }
    const gammaGrad = columnSums(gammaSums, 1, channels).view(gamma.shape);
    const betaGrad = columnSums(betaSums, 1, channels).view(gamma.shape);
    return {
      x: () => {
        const out = gpu.empty(x.shape);
        const bindings = { x, gamma, beta, statistics_: statistic, grad: before, gammaGrad, betaGrad, out };
        const rowCut = { items: sizes.rows, per: { x: channels, grad: channels, out: channels } };
        for (const { tensors, count } of parts(gpu, bindings, rowCut)) {
          dispatchPair(gpu, inputKernel, tensors, { ...sizes, rows: count }, tensors.out.size);
        }
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

/** The layers with weights: linear, convolution, batch norm. */
import { batchNorm } from '../autograd/batch_norm.ts';
import { type Conv2dOptions, conv2d } from '../autograd/conv2d.ts';
import { fill } from '../autograd/elementary.ts';
import { matmul } from '../autograd/matmul.ts';
import { add } from '../autograd/pointwise.ts';
import { randomUniform } from '../autograd/random.ts';
import type { Gpu } from '../tensor/device.ts';
import { streamKey } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Module } from './module.ts';

/** Names the random stream of a layer's initial weights: the same seed and path give the same weights. */
export interface Init {
  readonly seed: number;
  readonly path: string;
}

export const at = (init: Init, name: string): Init => ({ seed: init.seed, path: `${init.path}.${name}` });

/** Weights drawn uniformly with variance gain^2 / fanIn (He et al. 2015 for gain sqrt 2). */
export function initialWeights(gpu: Gpu, shape: readonly number[], fanIn: number, gain: number, init: Init): Tensor {
  const bound = gain * Math.sqrt(3 / fanIn);
  return randomUniform(gpu, shape, streamKey(init.seed, init.path), -bound, bound);
}

export interface LinearOptions {
  /** default true */
  bias?: boolean;
}

/**
 * y = x W + b, x [R, in], y [R, out]. Weights start uniform with variance 1 / in, the bias at 0. Names: weight [out,
 * in], bias.
 */
export class Linear extends Module {
  readonly weight: Tensor; // [in, out]
  readonly bias: Tensor | null;

  constructor(gpu: Gpu, inChannels: number, outChannels: number, init: Init, { bias = true }: LinearOptions = {}) {
    super(gpu);
    this.weight = this.parameter(
      'weight',
      initialWeights(gpu, [inChannels, outChannels], inChannels, 1, at(init, 'weight')),
      'linear',
    );
    this.bias = bias ? this.parameter('bias', fill(gpu, [outChannels], 0)) : null;
  }

  /** x [.., in] -> [.., out] */
  forward(x: Tensor): Tensor {
    const y = matmul(x, this.weight);
    return this.bias ? add(y, this.bias) : y;
  }
}

/**
 * y = conv2d(x, weight) without bias, x [B, H, W, in], y [B, H', W', out]. Weights start uniform with variance 2 /
 * (size^2 in). State dict: weight [out, in, height, width].
 */
export class Conv2d extends Module {
  readonly weight: Tensor; // [height, width, in, out]

  constructor(
    gpu: Gpu,
    inChannels: number,
    outChannels: number,
    size: number,
    init: Init,
    private readonly options: Conv2dOptions = {},
  ) {
    super(gpu);
    const shape = [size, size, inChannels, outChannels];
    const weights = initialWeights(gpu, shape, size * size * inChannels, Math.SQRT2, at(init, 'weight'));
    this.weight = this.parameter('weight', weights, 'conv');
  }

  /** x [B, H, W, in] -> [B, H', W', out] */
  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.options);
  }
}

/** Batch norm over the last axis, followed by the activation. Names: weight, bias, running_mean, running_var. */
export class BatchNorm extends Module {
  readonly gamma: Tensor;
  readonly beta: Tensor;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;

  /** @param slope of the activation below zero: 1 none, 0 ReLU, else leaky ReLU */
  constructor(
    gpu: Gpu,
    channels: number,
    readonly slope = 1,
  ) {
    super(gpu);
    this.gamma = this.parameter('weight', fill(gpu, [channels], 1));
    this.beta = this.parameter('bias', fill(gpu, [channels], 0));
    this.runningMean = this.buffer('running_mean', fill(gpu, [channels], 0));
    this.runningVar = this.buffer('running_var', fill(gpu, [channels], 1));
  }

  /** Options of the batch norm op; EdgeConv takes them too. */
  options() {
    const { runningMean, runningVar, training, slope } = this;
    return { runningMean, runningVar, training, slope };
  }

  /** x [.., C] -> the same shape; a residual is added before the activation */
  forward(x: Tensor, residual?: Tensor): Tensor {
    return batchNorm(x, this.gamma, this.beta, { ...this.options(), residual });
  }
}

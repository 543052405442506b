/** The DGCNN encoder of clouds. */
import { concat } from '../autograd/concat.ts';
import { edgeConv } from '../autograd/edge_conv.ts';
import { knn } from '../autograd/knn.ts';
import { matmul } from '../autograd/matmul.ts';
import { globalMaxPool, globalMeanPool } from '../autograd/reduce.ts';
import { reshape } from '../autograd/reshape.ts';
import type { Gpu } from '../tensor/device.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { at, BatchNorm, type Init, initialWeights, Linear } from './layers.ts';
import { Module } from './module.ts';

/** A 1x1 convolution over points (PyTorch: [out, in, 1]) or edges ([out, in, 1, 1]), stored as a matrix. */
class PointConv extends Module {
  readonly weight: Tensor; // [in, out]

  constructor(gpu: Gpu, inChannels: number, outChannels: number, layout: 'conv1' | 'conv1x1', init: Init) {
    super(gpu);
    const weights = initialWeights(gpu, [inChannels, outChannels], inChannels, Math.SQRT2, at(init, 'weight'));
    this.weight = this.parameter('weight', weights, layout);
  }

  /** x [B, N, in] -> [B, N, out] */
  forward(x: Tensor): Tensor {
    const [batch, points, channels] = x.shape;
    const y = matmul(reshape(x, [batch * points, channels]), this.weight);
    return reshape(y, [batch, points, y.channels]);
  }
}

/** Sizes of a DGCNN. */
export interface DgcnnOptions {
  /** length of the embedding */
  outChannels: number;
  /** neighbours per point, the point itself included */
  k: number;
  /** channels of the EdgeConv layers; default 64, 64, 128, 256 */
  widths?: readonly number[];
}

/**
 * DGCNN (Wang et al. 2019): clouds [B, N, 3] to vectors [B, outChannels] by EdgeConv layers whose neighbour graph is
 * rebuilt in each layer's feature space, a 1x1 convolution of their concatenation, maximum and mean over the points,
 * and a linear layer.
 */
export class Dgcnn extends Module {
  private readonly k: number;
  private readonly layers: { conv: PointConv; norm: BatchNorm }[] = [];
  private readonly last: { conv: PointConv; norm: BatchNorm };
  private readonly linear1: Linear;
  private readonly bn1: BatchNorm;

  constructor(gpu: Gpu, { outChannels, k, widths = [64, 64, 128, 256] }: DgcnnOptions, init: Init) {
    super(gpu);
    this.k = k;
    let channels = 3;
    const layer = (name: string, inChannels: number, width: number, layout: 'conv1' | 'conv1x1') => ({
      conv: this.child(`${name}.0`, new PointConv(gpu, inChannels, width, layout, at(init, `${name}.0`))),
      norm: this.child(`${name}.1`, new BatchNorm(gpu, width, 0.2)),
    });
    widths.forEach((width, index) => {
      this.layers.push(layer(`conv${index + 1}`, 2 * channels, width, 'conv1x1'));
      channels = width;
    });
    const joined = widths.reduce((sum, width) => sum + width, 0);
    this.last = layer(`conv${widths.length + 1}`, joined, outChannels, 'conv1');
    this.linear1 = this.child(
      'linear1',
      new Linear(gpu, 2 * outChannels, outChannels, at(init, 'linear1'), { bias: false }),
    );
    this.bn1 = this.child('bn1', new BatchNorm(gpu, outChannels, 0.01));
  }

  /** x [B, N, 3] -> embedding [B, outChannels], not normalised. */
  forward(x: Tensor): Tensor {
    const features: Tensor[] = [];
    let y = x;
    for (const { conv, norm } of this.layers) {
      y = edgeConv(y, knn(y, this.k), conv.weight, norm.gamma, norm.beta, norm.options());
      features.push(y);
    }
    const points = this.last.norm.forward(this.last.conv.forward(concat(features, -1)));
    const cloud = concat([globalMaxPool(points), globalMeanPool(points)], -1);
    return this.bn1.forward(this.linear1.forward(cloud));
  }
}

/** PointNet, an encoder of point clouds. */
import { globalMaxPool } from '../autograd/reduce.ts';
import { reshape } from '../autograd/reshape.ts';
import type { Gpu } from '../tensor/device.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { at, BatchNorm, type Init, Linear } from './layers.ts';
import { Module } from './module.ts';

/** Sizes of a PointNet. */
export interface PointNetOptions {
  /** length of the embedding */
  outChannels: number;
  /** channels of the layers before the last; default 64, 64, 64, 128 */
  widths?: readonly number[];
}

/**
 * PointNet (Qi et al. 2017) without its transform nets: [B, N, 3] -> [B, outChannels]. A perceptron per point, the
 * maximum over the points, a linear layer, batch norm.
 */
export class PointNet extends Module {
  private readonly layers: { conv: Linear; norm: BatchNorm }[] = [];
  private readonly linear1: Linear;
  private readonly bnLast: BatchNorm;

  constructor(gpu: Gpu, { outChannels, widths = [64, 64, 64, 128] }: PointNetOptions, init: Init) {
    super(gpu);
    let channels = 3;
    [...widths, outChannels].forEach((width, index) => {
      const [conv, bn] = [`conv${index + 1}`, `bn${index + 1}`];
      this.layers.push({
        conv: this.child(conv, new Linear(gpu, channels, width, at(init, conv), { bias: false })),
        norm: this.child(bn, new BatchNorm(gpu, width, 0)),
      });
      channels = width;
    });
    this.linear1 = this.child('linear1', new Linear(gpu, channels, outChannels, at(init, 'linear1'), { bias: false }));
    this.bnLast = this.child(`bn${widths.length + 2}`, new BatchNorm(gpu, outChannels, 0.01));
  }

  /** x [B, N, 3] -> embedding [B, outChannels], not normalised. */
  forward(x: Tensor): Tensor {
    const [batch, points] = x.shape;
    let y = reshape(x, [batch * points, 3]);
    for (const { conv, norm } of this.layers) y = norm.forward(conv.forward(y));
    const cloud = globalMaxPool(reshape(y, [batch, points, y.channels]));
    return this.bnLast.forward(this.linear1.forward(cloud));
  }
}

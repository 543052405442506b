/** Classifiers on top of an embedding. */
import { relu } from '../autograd/pointwise.ts';
import type { Gpu } from '../tensor/device.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { at, type Init, Linear } from './layers.ts';
import { Module } from './module.ts';

/** d -> hidden -> C with a ReLU in between. Named as in a PyTorch Sequential: head.0, head.2. */
export class HeadMlp extends Module {
  private readonly fc1: Linear;
  private readonly fc2: Linear;

  constructor(gpu: Gpu, channels: number, hidden: number, classes: number, init: Init) {
    super(gpu);
    this.fc1 = this.child('head.0', new Linear(gpu, channels, hidden, at(init, 'head.0')));
    this.fc2 = this.child('head.2', new Linear(gpu, hidden, classes, at(init, 'head.2')));
  }

  /** x [B, d] -> logits [B, C] */
  forward(x: Tensor): Tensor {
    return this.fc2.forward(relu(this.fc1.forward(x)));
  }
}

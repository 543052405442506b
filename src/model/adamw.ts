/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019). Kernels:
 * shaders/optimizers.wgsl.
 */
import type { Gpu } from '../tensor/device.ts';
import { kernel, kernelPair } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Optimizer, optimizers } from './optimizer.ts';

const adamwKernel = kernelPair(optimizers, 'adamw');
const countKernel = kernel(optimizers, 'countStep', {}, 1);

/** Hyper-parameters of AdamW. */
export interface AdamWOptions {
  learningRate: number;
  /** share of the previous average of the gradients that is kept; default 0.9 */
  beta1?: number;
  /** the same for their squares; default 0.999 */
  beta2?: number;
  /** added to the root of the averaged squares; default 1e-8 */
  epsilon?: number;
  /** rate times this share of the parameter is taken from it, apart from the gradient; default 0.01 */
  weightDecay?: number;
}

/**
 * m <- beta1 m + (1 - beta1) grad; v <- beta2 v + (1 - beta2) grad^2; with m' = m / (1 - beta1^t) and v' = v / (1 -
 * beta2^t) after t steps, p <- p - rate (m' / (sqrt v' + epsilon) + weightDecay p). Like torch.optim.AdamW.
 */
export class AdamW extends Optimizer {
  private readonly sizes: Readonly<Record<string, number>>;
  private readonly powers: Tensor; // [2]: beta1^t, beta2^t. On the GPU, because a recorded step counts itself too.

  /** @param parameters by name, each with a gradient when `step` is called */
  constructor(gpu: Gpu, parameters: ReadonlyMap<string, Tensor>, options: AdamWOptions) {
    super(gpu, parameters, options.learningRate, ['velocity', 'squares']);
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01 } = options;
    this.sizes = { count: 0, momentum: beta1, squareMomentum: beta2, epsilon, weightDecay };
    this.powers = gpu.tensor([1, 1], [2]).keep();
    this.state.set('powers', this.powers);
  }

  override step(): void {
    launch(countKernel, { powers: this.powers }, this.sizes, { invocations: 1 });
    super.step();
  }

  protected update(name: string, parameter: Tensor, grad: Tensor): void {
    const { rate, powers, state } = this;
    const [velocity, squares] = ['velocity', 'squares'].map((average) => state.get(`${average}.${name}`) as Tensor);
    const sizes = { ...this.sizes, count: parameter.size };
    const bindings = { parameter, velocity, squares, grad, rate, powers };
    launch(adamwKernel, bindings, sizes, { invocations: parameter.size });
  }
}

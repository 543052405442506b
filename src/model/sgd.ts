/** Stochastic gradient descent with momentum and weight decay. Kernel: shaders/optimizers.wgsl. */
import type { Gpu } from '../tensor/device.ts';
import { kernelPair } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Optimizer, optimizers } from './optimizer.ts';

const sgdKernel = kernelPair(optimizers, 'sgd');

/** Hyper-parameters of SGD. */
export interface SgdOptions {
  learningRate: number;
  /** share of the previous velocity that is kept; default 0 */
  momentum?: number;
  /** factor of the parameter that is added to its gradient; default 0 */
  weightDecay?: number;
}

/** v <- momentum v + grad + weightDecay p; p <- p - rate v. Like torch.optim.SGD without dampening. */
export class Sgd extends Optimizer {
  /** @param parameters by name, each with a gradient when `step` is called */
  constructor(
    gpu: Gpu,
    parameters: ReadonlyMap<string, Tensor>,
    private readonly options: SgdOptions,
  ) {
    super(gpu, parameters, options.learningRate, ['velocity']);
  }

  protected update(name: string, parameter: Tensor, grad: Tensor): void {
    const { momentum = 0, weightDecay = 0 } = this.options;
    const sizes = { count: parameter.size, momentum, squareMomentum: 0, epsilon: 0, weightDecay };
    const velocity = this.state.get(`velocity.${name}`) as Tensor;
    launch(sgdKernel, { parameter, velocity, grad, rate: this.rate }, sizes, { invocations: parameter.size });
  }
}

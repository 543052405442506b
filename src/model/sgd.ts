/** Stochastic gradient descent with momentum and weight decay, and the cosine schedule of its learning rate. */
import source from '../shaders/sgd.wgsl';
import type { Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { cos } from '../tensor/exact.ts';
import { kernelPair, program } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';

const updateKernel = kernelPair(program('sgd', source), 'update');

/** Hyper-parameters of SGD. */
export interface SgdOptions {
  learningRate: number;
  /** share of the previous velocity that is kept; default 0 */
  momentum?: number;
  /** factor of the parameter that is added to its gradient; default 0 */
  weightDecay?: number;
}

/** v <- momentum v + grad + weightDecay p; p <- p - rate v. Like torch.optim.SGD without dampening. */
export class Sgd {
  /** the learning rate, [1]: a tensor, so that a recorded step follows the schedule */
  readonly rate: Tensor;
  readonly velocities: ReadonlyMap<string, Tensor>;

  /** @param parameters by name, each with a gradient when `step` is called */
  constructor(
    gpu: Gpu,
    private readonly parameters: ReadonlyMap<string, Tensor>,
    private readonly options: SgdOptions,
  ) {
    this.rate = gpu.tensor([options.learningRate], [1]).keep();
    this.velocities = new Map([...parameters].map(([name, { shape }]) => [name, gpu.zeros(shape).keep()]));
  }

  /** Sets the learning rate, starting with the next step. */
  setRate(rate: number): void {
    this.rate.write([rate]);
  }

  /** Updates every parameter and frees its gradient. @throws RomoError `sgd` if a parameter has no gradient */
  step(): void {
    const { momentum = 0, weightDecay = 0 } = this.options;
    for (const [name, parameter] of this.parameters) {
      const { grad } = parameter;
      if (!grad) throw new RomoError('sgd', `parameter ${name} has no gradient`, 'The loss must depend on it.');
      const velocity = this.velocities.get(name) as Tensor;
      const sizes = { count: parameter.size, momentum, weightDecay };
      const bindings = { parameter, velocity, grad, rate: this.rate };
      launch(updateKernel, bindings, sizes, { invocations: parameter.size });
      grad.dispose();
      parameter.grad = null;
    }
  }

  /** Frees the velocities, not the parameters. */
  dispose(): void {
    this.rate.dispose();
    for (const velocity of this.velocities.values()) velocity.dispose();
  }
}

/** Cosine from `rate` at step 0 to 0 at step `steps` (Loshchilov and Hutter, SGDR, 2017). */
export function cosineRate(rate: number, step: number, steps: number): number {
  return 0.5 * rate * (1 + cos((Math.PI * step) / steps));
}

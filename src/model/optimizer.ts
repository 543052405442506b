/** What optimisers share: their parameters, the averages that they keep of each, and the schedule of the learning rate. */
import source from '../shaders/optimizers.wgsl';
import type { Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { cos } from '../tensor/exact.ts';
import { program } from '../tensor/kernel.ts';
import type { Tensor } from '../tensor/tensor.ts';

export const optimizers = program('optimizers', source);

/** Moves parameters against their gradients. */
export abstract class Optimizer {
  /** the learning rate, [1]: a tensor, so that a recorded step follows the schedule */
  readonly rate: Tensor;
  /** what steps change beside the parameters, by name: averages of the gradients, such as `velocity.conv1.weight` */
  readonly state = new Map<string, Tensor>();

  /**
   * @param parameters by name, each with a gradient when `step` is called
   * @param averages names of what is kept of each parameter, in its shape, zeros at first
   */
  constructor(
    gpu: Gpu,
    private readonly parameters: ReadonlyMap<string, Tensor>,
    learningRate: number,
    averages: readonly string[],
  ) {
    this.rate = gpu.tensor([learningRate], [1]).keep();
    for (const average of averages) {
      for (const [name, { shape }] of parameters) this.state.set(`${average}.${name}`, gpu.zeros(shape).keep());
    }
  }

  /** Sets the learning rate, starting with the next step. */
  setRate(rate: number): void {
    this.rate.write([rate]);
  }

  /** Updates every parameter and frees its gradient. @throws RomoError `optimizer` if a parameter has no gradient */
  step(): void {
    for (const [name, parameter] of this.parameters) {
      const { grad } = parameter;
      if (!grad) throw new RomoError('optimizer', `parameter ${name} has no gradient`, 'The loss must depend on it.');
      this.update(name, parameter, grad);
      grad.dispose();
      parameter.grad = null;
    }
  }

  /** Queues the update of one parameter. */
  protected abstract update(name: string, parameter: Tensor, grad: Tensor): void;

  /** Frees rate and averages, not the parameters. */
  dispose(): void {
    this.rate.dispose();
    for (const tensor of this.state.values()) tensor.dispose();
  }
}

/** Cosine from `rate` at step 0 to 0 at step `steps` (Loshchilov and Hutter, SGDR, 2017). */
export function cosineRate(rate: number, step: number, steps: number): number {
  return 0.5 * rate * (1 + cos((Math.PI * step) / steps));
}

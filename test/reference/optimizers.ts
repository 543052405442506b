/** SGD with momentum and weight decay, AdamW, and the cosine schedule, in float64, as in PyTorch. */

export interface SgdOptions {
  readonly lr: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

/**
 * One step, in place: g <- gradient + weightDecay * parameter; velocity <- momentum * velocity + g; parameter -= lr * velocity.
 * @param velocity zeros before the first step
 */
export function sgdStep(
  parameter: Float64Array,
  gradient: ArrayLike<number>,
  velocity: Float64Array,
  { lr, momentum, weightDecay }: SgdOptions,
): void {
  for (let i = 0; i < parameter.length; i++) {
    velocity[i] = momentum * velocity[i] + gradient[i] + weightDecay * parameter[i];
    parameter[i] -= lr * velocity[i];
  }
}

export interface AdamWOptions {
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/**
 * Step number `step` = 1, 2, .., in place, in the order of torch.optim.AdamW: the parameter decays, then moves.
 * @param averages of the gradients and of their squares, zeros before the first step
 */
export function adamwStep(
  parameter: Float64Array,
  gradient: ArrayLike<number>,
  { first, second }: { first: Float64Array; second: Float64Array },
  step: number,
  { lr, beta1, beta2, epsilon, weightDecay }: AdamWOptions,
): void {
  for (let i = 0; i < parameter.length; i++) {
    parameter[i] *= 1 - lr * weightDecay;
    first[i] = beta1 * first[i] + (1 - beta1) * gradient[i];
    second[i] = beta2 * second[i] + (1 - beta2) * gradient[i] ** 2;
    const deviation = Math.sqrt(second[i]) / Math.sqrt(1 - beta2 ** step) + epsilon;
    parameter[i] -= ((lr / (1 - beta1 ** step)) * first[i]) / deviation;
  }
}

/** The learning rate of step 0..steps-1: from `lr` along half a cosine towards 0, which it would reach at `steps`. */
export function cosineRate(lr: number, step: number, steps: number): number {
  return (lr * (1 + Math.cos((Math.PI * step) / steps))) / 2;
}

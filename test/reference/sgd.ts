/** SGD with momentum and weight decay, and the cosine schedule, in float64, as in PyTorch. */

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

/** The learning rate of step 0..steps-1: from `lr` along half a cosine towards 0, which it would reach at `steps`. */
export function cosineRate(lr: number, step: number, steps: number): number {
  return (lr * (1 + Math.cos((Math.PI * step) / steps))) / 2;
}

/** Forward and backward of an op, for tests. */
import { record } from '../../src/autograd/tape.ts';
import type { Gpu } from '../../src/tensor/device.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';

export interface ForwardBackward {
  readonly output: Float32Array;
  readonly shape: readonly number[];
  /** one per leaf, in its shape */
  readonly gradients: readonly Float32Array[];
}

/**
 * Runs `op` on a tape and takes the gradients of sum(seed * output) with respect to `leaves`.
 * @param seed gradient of the output, in its shape; default ones
 */
export async function forwardBackward(
  gpu: Gpu,
  leaves: readonly Tensor[],
  op: () => Tensor,
  seed?: Float32Array,
): Promise<ForwardBackward> {
  for (const leaf of leaves) {
    leaf.requiresGrad = true;
    leaf.grad?.dispose();
    leaf.grad = null;
  }
  const tape = record(gpu, op);
  const result = tape.loss as Tensor;
  const { shape, size } = result;
  const values = await result.readFloats();
  tape.backward(gpu.tensor(seed ?? new Float32Array(size).fill(1), shape));
  const gradients: Float32Array[] = [];
  for (const [position, leaf] of leaves.entries()) {
    const grad = leaf.grad as Tensor | null;
    if (!grad) throw new Error(`leaf ${position} [${leaf.shape}] got no gradient`);
    gradients.push(await grad.readFloats());
    grad.dispose();
    leaf.grad = null;
  }
  return { output: values, shape, gradients };
}

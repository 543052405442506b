/** A workload of ours: the tensors that it queues, and their check. */
import { record } from '../../src/autograd/tape.ts';
import type { Gpu } from '../../src/tensor/device.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';

/** What a workload queues while it is recorded. One element of `result` is read after each run. */
export interface Step {
  queue(): { result: Tensor; outputs: Record<string, Tensor> };
  /** digests of the outputs, in the layouts of check.mjs */
  check(outputs: Record<string, Tensor>, results: readonly number[]): Promise<unknown>;
}

// biome-ignore lint/suspicious/noExplicitAny: the fields depend on the workload
export type Spec = Record<string, any>;

/** Gradients of `inputs`, where `forward` computes the tape's output and `seed` is the output's gradient. */
export function gradientsOf(
  gpu: Gpu,
  forward: () => Tensor,
  inputs: Record<string, Tensor>,
  seed?: Tensor,
): Record<string, Tensor> {
  const tape = record(gpu, () => forward().keep());
  tape.backward(seed);
  const gradients: Record<string, Tensor> = { output: tape.loss as Tensor };
  for (const [name, tensor] of Object.entries(inputs)) {
    gradients[name] = tensor.grad as Tensor;
    tensor.grad = null;
  }
  return gradients;
}

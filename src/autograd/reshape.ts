/** The same numbers under another shape. No copy, forward or backward. */
import type { Tensor } from '../tensor/tensor.ts';
import { differentiable } from './tape.ts';

const op = differentiable({
  name: 'reshape',
  forward({ x }: { x: Tensor }, shape: readonly number[]) {
    return { output: x.view(shape) };
  },
  backward(grad, { inputs: { x } }) {
    return { x: () => grad.view(x.shape) };
  },
});

/** The same numbers under another shape of the same size; shares the buffer. */
export const reshape = (x: Tensor, shape: readonly number[]): Tensor => op({ x }, shape);

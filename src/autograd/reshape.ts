/** The same numbers under another shape. No copy, forward or backward. */
import type { Tensor } from '../tensor/tensor.ts';
import { differentiable } from './tape.ts';

const op = differentiable<{ x: Tensor }, readonly number[], Record<string, never>>({
  name: 'reshape',
  forward({ x }, shape) {
    return { output: x.view(shape), saved: {} };
  },
  backward(grad, { inputs: { x } }) {
    return { x: () => grad.view(x.shape) };
  },
});

/** The same numbers under another shape of the same size; shares the buffer. */
export const reshape = (x: Tensor, shape: readonly number[]): Tensor => op({ x }, shape);

/** Rows scaled to length 1: y = x / max(|x|, 1e-12), x [..., C] by its last axis. dx = (g - y (y . g)) / |x|. */
import source from '../shaders/l2_normalize.wgsl';
import { kernel, program } from '../tensor/kernel.ts';
import { parts } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { differentiable } from './tape.ts';

const normalizeProgram = program('l2_normalize', source);
const normalizeKernel = kernel(normalizeProgram, 'normalize');
const gradientKernel = kernel(normalizeProgram, 'normalizeGradient');

const op = differentiable<{ x: Tensor }, undefined, Record<string, never>>({
  name: 'l2Normalize',
  forward({ x }) {
    const output = x.gpu.empty(x.shape);
    const { rows: items, channels } = x;
    for (const { tensors, count } of parts(x.gpu, { x, out: output }, { items, per: { x: channels, out: channels } })) {
      x.gpu.dispatch(normalizeKernel, tensors, { rows: count, channels }, count);
    }
    return { output, saved: {} };
  },
  backward(grad, { inputs: { x } }) {
    return {
      x: () => {
        const out = x.gpu.empty(x.shape);
        const { rows: items, channels } = x;
        const per = { x: channels, grad: channels, out: channels };
        for (const { tensors, count } of parts(x.gpu, { x, grad, out }, { items, per })) {
          x.gpu.dispatch(gradientKernel, tensors, { rows: count, channels }, count);
        }
        return out;
      },
    };
  },
});

/** Rows [R, C] divided by their length. */
export const l2Normalize = (x: Tensor): Tensor => op({ x }, undefined);

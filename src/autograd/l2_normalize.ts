/** Rows scaled to length 1. Kernels: shaders/l2_normalize.wgsl. Float64 reference: test/reference/l2_normalize.ts. */
import source from '../shaders/l2_normalize.wgsl';
import { kernel, program } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { differentiable } from './tape.ts';

const normalizeProgram = program('l2_normalize', source);
const normalizeKernel = kernel(normalizeProgram, 'normalizeRow');
const gradientKernel = kernel(normalizeProgram, 'normalizeGradient');

const op = differentiable({
  name: 'l2Normalize',
  forward({ x }: { x: Tensor }) {
    const out = x.gpu.empty(x.shape);
    const { rows, channels } = x;
    launch(normalizeKernel, { x, out }, { rows, channels }, { along: 'rows', invocations: rows });
    return { output: out };
  },
  backward(grad, { inputs: { x } }) {
    return {
      x: () => {
        const out = x.gpu.empty(x.shape);
        const { rows, channels } = x;
        launch(gradientKernel, { x, grad, out }, { rows, channels }, { along: 'rows', invocations: rows });
        return out;
      },
    };
  },
});

/** y = x / max(|x|, 1e-12), x [..., C] by its last axis. dx = (dy - y (y . dy)) / |x|. */
export const l2Normalize = (x: Tensor): Tensor => op({ x });

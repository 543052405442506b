/**
 * Softmax and argmax by row, for targets: what they return is a constant. The losses fuse their own softmax
 * (losses.ts), so no gradient is needed here. Kernels: shaders/softmax.wgsl.
 */
import source from '../shaders/softmax.wgsl';
import { kernel, program } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';

const softmaxProgram = program('softmax', source);
const argmaxKernel = kernel(softmaxProgram, 'argmax');
const softmaxKernel = kernel(softmaxProgram, 'softmax');

/** x [R, C] -> i32 [R], the column of the largest; the first of equals. */
export function argmax(x: Tensor): Tensor {
  const { rows, channels: classes } = x;
  const winners = x.gpu.empty([rows], 'i32');
  launch(argmaxKernel, { x, winners }, { rows, classes, temperature: 1 }, { along: 'rows', invocations: rows });
  return winners;
}

/** x [R, C] -> exp(x / temperature) over its row sum. */
export function softmax(x: Tensor, temperature = 1): Tensor {
  const { rows, channels: classes } = x;
  const out = x.gpu.empty(x.shape);
  launch(softmaxKernel, { x, out }, { rows, classes, temperature }, { along: 'rows', invocations: rows });
  return out;
}

/**
 * Softmax and argmax by row, for targets: what they return is a constant. The losses fuse their own softmax (losses.ts), so
 * no gradient is needed here.
 */
import source from '../shaders/softmax.wgsl';
import { kernel, program } from '../tensor/kernel.ts';
import { parts } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';

const softmaxProgram = program('softmax', source);
const argmaxKernel = kernel(softmaxProgram, 'argmax');
const softmaxKernel = kernel(softmaxProgram, 'softmax');

/** x [R, C] -> i32 [R], the column of the largest; the first of equals. */
export function argmax(x: Tensor): Tensor {
  const winners = x.gpu.empty([x.rows], 'i32');
  const { rows: items, channels: classes } = x;
  for (const { tensors, count } of parts(x.gpu, { x, winners }, { items, per: { x: classes, winners: 1 } })) {
    x.gpu.dispatch(argmaxKernel, tensors, { rows: count, classes, temperature: 1 }, count);
  }
  return winners;
}

/** x [R, C] -> exp(x / temperature) over its row sum. */
export function softmax(x: Tensor, temperature = 1): Tensor {
  const out = x.gpu.empty(x.shape);
  const { rows: items, channels: classes } = x;
  for (const { tensors, count } of parts(x.gpu, { x, out }, { items, per: { x: classes, out: classes } })) {
    x.gpu.dispatch(softmaxKernel, tensors, { rows: count, classes, temperature }, count);
  }
  return out;
}

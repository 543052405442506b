/** Tensors joined along one axis; their other axes are equal. Backward cuts the gradient at the same places. */
import { RomoError } from '../tensor/error.ts';
import { type KernelPair, kernelPair } from '../tensor/kernel.ts';
import { parts } from '../tensor/launch.ts';
import { sizeOf, type Tensor } from '../tensor/tensor.ts';
import { dispatchPair } from './elementary.ts';
import { gatherProgram } from './gather.ts';
import { differentiable } from './tape.ts';

const insertKernel = kernelPair(gatherProgram, 'insert');
const extractKernel = kernelPair(gatherProgram, 'extract');

const COUNTED = ['width', 'stride', 'offset'];

interface Block {
  rows: number;
  width: number;
  stride: number;
  offset: number;
  sources: number;
}

/** Every tensor is a column block of the result, read as a matrix [axes before, axis and axes behind]. */
function blocksOf(tensors: readonly Tensor[], axis: number): Block[] {
  const rows = sizeOf(tensors[0].shape.slice(0, axis));
  const stride = tensors.reduce((sum, tensor) => sum + tensor.size / rows, 0);
  let offset = 0;
  return tensors.map((tensor) => {
    const width = tensor.size / rows;
    const block = { rows, width, stride, offset, sources: 0 };
    offset += width;
    return block;
  });
}

/** Copies a block from or to the larger of two tensors of as many rows. */
function move(kernel: KernelPair, x: Tensor, out: Tensor, block: Block): void {
  const { rows: items, width } = block;
  const per = { x: x.size / items, out: out.size / items };
  for (const { tensors, count } of parts(x.gpu, { x, out }, { items, per })) {
    dispatchPair(x.gpu, kernel, tensors, { ...block, rows: count }, count * width, COUNTED);
  }
}

/** x [rows, from] -> [rows, to], with zeros on the right. A constant; see `narrow` for the way back. */
export function widen(x: Tensor, rows: number, from: number, to: number): Tensor {
  const out = x.gpu.zeros([rows, to]);
  move(insertKernel, x, out, { rows, width: from, stride: to, offset: 0, sources: 0 });
  return out;
}

/** x [rows, from] -> its first columns [rows, to]. */
export function narrow(x: Tensor, rows: number, from: number, to: number): Tensor {
  const out = x.gpu.empty([rows, to]);
  move(extractKernel, x, out, { rows, width: to, stride: from, offset: 0, sources: 0 });
  return out;
}

const op = differentiable<Record<string, Tensor>, number, Record<string, never>>({
  name: 'concat',
  forward(inputs, axis) {
    const tensors = Object.values(inputs);
    const shape = [...tensors[0].shape];
    shape[axis] = tensors.reduce((sum, tensor) => sum + tensor.shape[axis], 0);
    const output = tensors[0].gpu.empty(shape);
    for (const [i, block] of blocksOf(tensors, axis).entries()) move(insertKernel, tensors[i], output, block);
    return { output, saved: {} };
  },
  backward(grad, { inputs, options: axis }) {
    const blocks = blocksOf(Object.values(inputs), axis);
    return Object.fromEntries(
      Object.entries(inputs).map(([name, tensor], i) => [
        name,
        () => {
          const out = tensor.gpu.empty(tensor.shape);
          move(extractKernel, grad, out, blocks[i]);
          return out;
        },
      ]),
    );
  },
});

/** Joins along `axis`; negative axes count from the end. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const [first] = tensors;
  const at = axis < 0 ? first.shape.length + axis : axis;
  const fits = (tensor: Tensor) =>
    tensor.shape.length === first.shape.length &&
    tensor.shape.every((length, i) => i === at || length === first.shape[i]);
  if (!(at in first.shape) || !tensors.every(fits)) {
    const shapes = tensors.map((tensor) => `[${tensor.shape}]`).join(', ');
    throw new RomoError('shape', `concat: ${shapes} along axis ${axis}`, 'All axes but that one must be equal.');
  }
  return op(Object.fromEntries(tensors.map((tensor, i) => [`${i}`, tensor])), at);
}

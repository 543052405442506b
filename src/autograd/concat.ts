/** Tensors joined along one axis. Kernels: shaders/concat.wgsl. */
import source from '../shaders/concat.wgsl';
import { RomoError } from '../tensor/error.ts';
import { type Kernel, kernelPair, program } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import { sizeOf, type Tensor } from '../tensor/tensor.ts';
import { differentiable } from './tape.ts';

const concatProgram = program('concat', source);
const insertKernel = kernelPair(concatProgram, 'insert');
const extractKernel = kernelPair(concatProgram, 'extract');

/** A column block of a wider matrix. */
interface Block {
  rows: number;
  width: number;
  /** columns of the wider matrix */
  stride: number;
  /** its first column there */
  offset: number;
}

/** Every tensor is a column block of the result, read as a matrix [axes before, axis and axes after]. */
function blocksOf(tensors: readonly Tensor[], axis: number): Block[] {
  const rows = sizeOf(tensors[0].shape.slice(0, axis));
  const stride = tensors.reduce((sum, tensor) => sum + tensor.size / rows, 0);
  let offset = 0;
  return tensors.map((tensor) => {
    const width = tensor.size / rows;
    offset += width;
    return { rows, width, stride, offset: offset - width };
  });
}

/** Copies a block from or to the wider of two tensors of as many rows. */
function move(by: Kernel, x: Tensor, out: Tensor, block: Block): void {
  launch(by, { x, out }, { ...block }, { along: 'rows', invocations: block.rows * block.width });
}

/** x [rows, from] -> [rows, to], with zeros on the right. Carries no gradient; `narrow` undoes it. */
export function widen(x: Tensor, rows: number, from: number, to: number): Tensor {
  const out = x.gpu.zeros([rows, to]);
  move(insertKernel, x, out, { rows, width: from, stride: to, offset: 0 });
  return out;
}

/** x [rows, from] -> its first columns [rows, to]. */
export function narrow(x: Tensor, rows: number, from: number, to: number): Tensor {
  const out = x.gpu.empty([rows, to]);
  move(extractKernel, x, out, { rows, width: to, stride: from, offset: 0 });
  return out;
}

const op = differentiable({
  name: 'concat',
  forward(inputs: Record<string, Tensor>, axis: number) {
    const tensors = Object.values(inputs);
    const shape = [...tensors[0].shape];
    shape[axis] = tensors.reduce((sum, tensor) => sum + tensor.shape[axis], 0);
    const output = tensors[0].gpu.empty(shape);
    for (const [i, block] of blocksOf(tensors, axis).entries()) move(insertKernel, tensors[i], output, block);
    return { output };
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

/** Joins f32 tensors along `axis` (negative: from the end); all other axes are equal. The gradient is split likewise. */
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

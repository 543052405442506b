/**
 * Elementwise ops: a table. Each row has the function and its derivative, which pointwise.wgsl computes under the row's code.
 * Cost: one read and one write per element forward, three reads and one write backward.
 */
import { RomoError } from '../tensor/error.ts';
import { kernelPair } from '../tensor/kernel.ts';
import { parts } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import {
  BINARY,
  type BinaryName,
  binaryTensors,
  columnSums,
  dispatchPair,
  mulTensors,
  pointwise,
} from './elementary.ts';
import { differentiable } from './tape.ts';

/** name: [code in pointwise.wgsl, f(x), f'(x)]; s is the scalar argument. */
export const UNARY = {
  neg: [0, '-x', '-1'],
  exp: [1, 'exp x', 'f'],
  log: [2, 'ln x', '1 / x'],
  sqrt: [3, 'sqrt x', '1 / (2 f)'],
  square: [4, 'x^2', '2 x'],
  tanh: [5, 'tanh x', '1 - f^2'],
  sigmoid: [6, '1 / (1 + exp -x)', 'f (1 - f)'],
  relu: [7, 'max(x, 0)', '1 where x > 0, else 0'],
  leakyRelu: [8, 'x where x > 0, else s x', '1 where x > 0, else s'],
  scale: [9, 's x', 's'],
  addScalar: [10, 'x + s', '1'],
  abs: [11, '|x|', 'sign x; 0 at 0'],
} as const;
/** The pointwise functions of one tensor. */
export type UnaryName = keyof typeof UNARY;

function unary(name: UnaryName): (x: Tensor, s?: number) => Tensor {
  const code = UNARY[name][0];
  const forwardKernel = kernelPair(pointwise, 'unary', { OP: code });
  const gradientKernel = kernelPair(pointwise, 'unaryGradient', { OP: code });
  const op = differentiable<{ x: Tensor }, number, Record<string, never>>({
    name,
    forward({ x }, value) {
      const output = x.gpu.empty(x.shape);
      const cut = { items: x.size, per: { x: 1, out: 1 } };
      for (const { tensors, count } of parts(x.gpu, { x, out: output }, cut)) {
        dispatchPair(x.gpu, forwardKernel, tensors, { count, period: 1, value }, count, ['count']);
      }
      return { output, saved: {} };
    },
    backward(grad, { inputs: { x }, output, options: value }) {
      return {
        x: () => {
          const out = x.gpu.empty(x.shape);
          const cut = { items: x.size, per: { x: 1, y: 1, grad: 1, out: 1 } };
          for (const { tensors, count } of parts(x.gpu, { x, y: output, grad, out }, cut)) {
            dispatchPair(x.gpu, gradientKernel, tensors, { count, period: 1, value }, count, ['count']);
          }
          return out;
        },
      };
    },
  });
  return (x, s = 0) => op({ x }, s);
}

/** -x */
export const neg = unary('neg');
/** e^x */
export const exp = unary('exp');
/** ln x */
export const log = unary('log');
/** The square root of x. */
export const sqrt = unary('sqrt');
/** x^2 */
export const square = unary('square');
/** tanh x */
export const tanh = unary('tanh');
/** 1 / (1 + e^-x) */
export const sigmoid = unary('sigmoid');
/** max(x, 0) */
export const relu = unary('relu');
/** |x|; its gradient at 0 is 0 */
export const abs = unary('abs');
/** x where x > 0, else slope x */
export const leakyRelu = unary('leakyRelu') as (x: Tensor, slope: number) => Tensor;
/** factor x */
export const scale = unary('scale') as (x: Tensor, factor: number) => Tensor;
/** x + value */
export const addScalar = unary('addScalar') as (x: Tensor, value: number) => Tensor;

function checkBroadcast(name: string, x: Tensor, y: Tensor): void {
  const tail = x.shape.slice(x.shape.length - y.shape.length);
  if (y.size !== 1 && (y.shape.length > x.shape.length || tail.some((length, axis) => length !== y.shape[axis]))) {
    throw new RomoError(
      'shape',
      `${name}: [${y.shape}] does not repeat along [${x.shape}]`,
      'The second argument has the same shape, the last axes of the first, or one element.',
    );
  }
}

/** The gradient with respect to y, which repeats along x: add up what its repetitions received. */
function unrepeat(grad: Tensor, y: Tensor): Tensor {
  if (y.size === grad.size) return grad;
  return columnSums(grad, 1, y.size).view(y.shape);
}

function binary(name: BinaryName): (x: Tensor, y: Tensor) => Tensor {
  const op = differentiable<{ x: Tensor; y: Tensor }, undefined, Record<string, never>>({
    name,
    forward({ x, y }) {
      checkBroadcast(name, x, y);
      return { output: binaryTensors(name, x, y), saved: {} };
    },
    backward(grad, { inputs: { x, y }, output }) {
      switch (name) {
        case 'add':
          return { x: () => grad, y: () => unrepeat(grad, y) };
        case 'sub':
          return { x: () => grad, y: () => unrepeat(neg(grad), y) };
        case 'mul':
          return { x: () => mulTensors(grad, y), y: () => unrepeat(mulTensors(grad, x), y) };
        case 'div': // d(x / y)/dy = -(x / y) / y
          return {
            x: () => binaryTensors('div', grad, y),
            y: () => unrepeat(binaryTensors('div', neg(mulTensors(grad, output)), y), y),
          };
      }
    },
  });
  return (x, y) => op({ x, y }, undefined);
}

/** x + y; y has x's shape, its last axes (a bias), or one element. */
export const add = binary('add');
/** x - y; y may repeat along x */
export const sub = binary('sub');
/** x y, element by element; y may repeat along x */
export const mul = binary('mul');
/** x / y, element by element; y may repeat along x */
export const div = binary('div');

export { BINARY };

/**
 * Elementwise ops: a table. Kernels: shaders/pointwise.wgsl, which computes each function and its derivative under the
 * code of its row. Cost: one read and one write per element forward, three reads and one write backward. Float64
 * reference: test/reference/pointwise.ts.
 */
import { shapeError } from '../tensor/error.ts';
import { kernelPair } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type BinaryName, binaryTensors, columnSums, mulTensors, pointwise } from './elementary.ts';
import { differentiable } from './tape.ts';

/** The functions of one tensor, in the order of their codes in pointwise.wgsl. */
export const UNARY = [
  'neg',
  'exp',
  'log',
  'sqrt',
  'square',
  'tanh',
  'sigmoid',
  'relu',
  'leakyRelu',
  'scale',
  'addScalar',
  'abs',
] as const;
/** The pointwise functions of one tensor. */
export type UnaryName = (typeof UNARY)[number];

function unary(name: UnaryName): (x: Tensor, s?: number) => Tensor {
  const OP = UNARY.indexOf(name);
  const forwardKernel = kernelPair(pointwise, 'unary', { OP });
  const gradientKernel = kernelPair(pointwise, 'unaryGradient', { OP });
  const op = differentiable({
    name,
    forward({ x }: { x: Tensor }, value: number) {
      const out = x.gpu.empty(x.shape);
      launch(forwardKernel, { x, out }, { count: x.size, period: 1, value }, { along: 'count' });
      return { output: out };
    },
    backward(grad, { inputs: { x }, output: y, options: value }) {
      return {
        x: () => {
          const out = x.gpu.empty(x.shape);
          launch(gradientKernel, { x, y, grad, out }, { count: x.size, period: 1, value }, { along: 'count' });
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
    const rule = 'The second argument has the same shape, the last axes of the first, or one element.';
    throw shapeError(name, 'y does not repeat along x', { x, y }, rule);
  }
}

/** The gradient with respect to y, which repeats along x: add up what its repetitions received. */
function unrepeat(grad: Tensor, y: Tensor): Tensor {
  if (y.size === grad.size) return grad;
  return columnSums(grad, 1, y.size).view(y.shape);
}

function binary(name: BinaryName): (x: Tensor, y: Tensor) => Tensor {
  const op = differentiable({
    name,
    forward({ x, y }: { x: Tensor; y: Tensor }) {
      checkBroadcast(name, x, y);
      return { output: binaryTensors(name, x, y) };
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
  return (x, y) => op({ x, y });
}

/** x + y; y has x's shape, its last axes (a bias), or one element. */
export const add = binary('add');
/** x - y; y may repeat along x */
export const sub = binary('sub');
/** x y, element by element; y may repeat along x */
export const mul = binary('mul');
/** x / y, element by element; y may repeat along x */
export const div = binary('div');

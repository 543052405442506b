/** Compares an op on the GPU with its float64 reference: values directly, gradients by central differences. */
import * as assert from 'uvu/assert';
import type { Gpu } from '../../src/tensor/device.ts';
import { sizeOf, type Tensor } from '../../src/tensor/tensor.ts';
import { forwardBackward } from './backward.ts';
import { assertValues, type Tolerance } from './close.ts';
import { hashUniform } from './fixture.ts';
import { recordError } from './records.ts';

export interface Argument {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

export interface GradcheckCase {
  /** names the case in messages and picks its random directions; its first word is the op */
  readonly name: string;
  /** the differentiable inputs, in the order in which `op` and `reference` take them */
  readonly inputs: readonly Argument[];
  readonly op: (inputs: readonly Tensor[]) => Tensor;
  readonly reference: (inputs: readonly Float64Array[]) => ArrayLike<number>;
  /** tolerance of the values; default rtol 1e-4, atol 1e-5 */
  readonly tolerance?: Tolerance;
  /** floor in the relative error of a derivative, see `gradcheck`; default 0.01 */
  readonly floor?: number;
  /** Central differences step over +-step; keep kinks further away than that. Default 1e-6. */
  readonly step?: number;
}

/** An argument of numbers in low..high that depend only on `name`. */
export function argument(name: string, shape: readonly number[], low = -1, high = 1): Argument {
  const unit = hashUniform(name, sizeOf(shape));
  return { shape, data: Float32Array.from(unit, (u) => low + ((u + 1) / 2) * (high - low)) };
}

const GRADIENT_BOUND = 1e-3;
const DENSE_DIRECTIONS = 3;
const SINGLE_ELEMENTS = 5;

/**
 * Fails unless the op's values and its gradients agree with the reference. With f = sum(weights * op(inputs)) and
 * random weights in -1..1, each direction d of each input must satisfy
 * sum(gradient * d) = (f(x + step d) - f(x - step d)) / (2 step).
 * Directions are dense random ones, and single elements, which show an error at a border that a sum would hide.
 *
 * The relative error is |sum(gradient * d) - quotient| / (|quotient| + |gradient * d| + floor), at most
 * `GRADIENT_BOUND`. There, |gradient * d| is a Euclidean length: terms of both signs may cancel, and f32 keeps the
 * digits of the terms, not those of their sum. The floor covers terms that cancelled inside the kernel: the weights
 * make gradients of about 1, so a derivative below it counts as zero. An op whose gradients have another magnitude sets
 * its own floor.
 */
export async function gradcheck(gpu: Gpu, testCase: GradcheckCase): Promise<void> {
  const { name, inputs, reference, step = 1e-6, floor = 0.01, tolerance = { rtol: 1e-4, atol: 1e-5 } } = testCase;
  const exact = inputs.map(({ data }) => Float64Array.from(data));
  const expected = reference(exact);
  const weights = Float32Array.from(hashUniform(`${name} weights`, expected.length));
  const leaves = inputs.map(({ data, shape }) => gpu.tensor(data, shape));
  const { output, gradients } = await forwardBackward(gpu, leaves, () => testCase.op(leaves), weights);
  for (const leaf of leaves) leaf.dispose();
  assertValues(name, output, expected, tolerance);

  const weighted = (values: readonly Float64Array[]) => {
    const out = reference(values);
    let sum = 0;
    for (let i = 0; i < out.length; i++) sum += weights[i] * out[i];
    return sum;
  };
  for (const [position, values] of exact.entries()) {
    for (const [label, direction] of directions(`${name} ${position}`, values.length)) {
      const shifted = (sign: number) =>
        weighted(
          exact.map((other, i) => (i === position ? values.map((v, e) => v + sign * step * direction[e]) : other)),
        );
      const numeric = (shifted(1) - shifted(-1)) / (2 * step);
      let analytic = 0;
      let squares = 0;
      for (let e = 0; e < values.length; e++) {
        const term = gradients[position][e] * direction[e];
        analytic += term;
        squares += term * term;
      }
      const error = Math.abs(analytic - numeric) / (Math.sqrt(squares) + Math.abs(numeric) + floor);
      recordError(name, 'gradient', error, GRADIENT_BOUND);
      assert.ok(
        error <= GRADIENT_BOUND,
        `${name}: the gradient of input ${position} [${inputs[position].shape}] along ${label} is ${analytic}, the ` +
          `reference gives ${numeric} (relative error ${error.toExponential(2)})`,
      );
    }
  }
}

/** Dense random directions, then single elements: the first, the last and random ones. */
function directions(seed: string, length: number): [string, Float64Array][] {
  const result: [string, Float64Array][] = [];
  for (let n = 0; n < DENSE_DIRECTIONS; n++) {
    result.push([`random direction ${n}`, hashUniform(`${seed} direction ${n}`, length)]);
  }
  const random = hashUniform(`${seed} elements`, SINGLE_ELEMENTS).map((u) => Math.floor(((u + 1) / 2) * length));
  for (const element of new Set([0, length - 1, ...random])) {
    const single = new Float64Array(length);
    single[element] = 1;
    result.push([`element ${element}`, single]);
  }
  return result;
}

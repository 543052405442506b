/** The workloads of single ops. */
import { conv2d } from '../../src/autograd/conv2d.ts';
import { edgeConv } from '../../src/autograd/edge_conv.ts';
import { fill } from '../../src/autograd/elementary.ts';
import { knn } from '../../src/autograd/knn.ts';
import { softmaxCrossEntropy } from '../../src/autograd/losses.ts';
import { matmul } from '../../src/autograd/matmul.ts';
import type { Gpu } from '../../src/tensor/device.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { digest, sampleRows } from '../check.mjs';
import { hashLabels, hashNeighbours, hashUniform, hashWeights, permute, TO_HWIO, TO_OIHW } from '../inputs.mjs';
import { gradientsOf, type Spec, type Step } from './step.ts';

export function opStep(gpu: Gpu, spec: Spec): Step {
  return STEPS[spec.kind](gpu, spec);
}

const input = (gpu: Gpu, name: string, shape: number[]) => gpu.tensor(hashUniform(name, shape), shape);

/** Digests of all outputs; `as` converts an output to the layout of the comparison. */
async function digests(outputs: Record<string, Tensor>, as: Record<string, (values: Float32Array) => Float32Array>) {
  const values: Record<string, unknown> = {};
  for (const [name, tensor] of Object.entries(outputs)) {
    const floats = await tensor.readFloats();
    values[name] = digest(as[name] ? as[name](floats) : floats);
  }
  return { values };
}

const STEPS: Record<string, (gpu: Gpu, spec: Spec) => Step> = {
  matmul(gpu, { m, k, n }) {
    const a = input(gpu, 'a', [m, k]);
    const b = input(gpu, 'b', [k, n]);
    return {
      queue() {
        const output = matmul(a, b);
        return { result: output, outputs: { output } };
      },
      check: (outputs) => digests(outputs, {}),
    };
  },

  conv(gpu, { batch, height, width, inChannels, outChannels, size, stride, padding, outHeight, outWidth, backward }) {
    const x = input(gpu, 'x', [batch, height, width, inChannels]);
    const torchShape = [outChannels, inChannels, size, size];
    const weights = permute(hashWeights('w', torchShape), torchShape, TO_HWIO);
    const shape = [size, size, inChannels, outChannels];
    const weight = gpu.tensor(weights, shape);
    const forward = () => conv2d(x, weight, { stride, padding });
    const check: Step['check'] = (outputs) =>
      digests(outputs, { dw: (values) => permute(values, shape, TO_OIHW) as Float32Array });
    if (!backward) {
      return {
        queue() {
          const output = forward();
          return { result: output, outputs: { output } };
        },
        check,
      };
    }
    const seed = input(gpu, 'dy', [batch, outHeight, outWidth, outChannels]);
    x.requiresGrad = true;
    weight.requiresGrad = true;
    return {
      queue() {
        const outputs = gradientsOf(gpu, forward, { dx: x, dw: weight }, seed);
        return { result: outputs.dx, outputs };
      },
      check,
    };
  },

  knn(gpu, { batch, points, channels, k }) {
    const x = input(gpu, 'x', [batch, points, channels]);
    return {
      queue() {
        const neighbours = knn(x, k);
        return { result: neighbours, outputs: { neighbours } };
      },
      check: async ({ neighbours }) => ({ rows: sampleRows(await neighbours.read(), k) }),
    };
  },

  edgeConv(gpu, spec) {
    const { batch, points, channels, outChannels, k, backward } = spec;
    const x = input(gpu, 'x', [batch, points, channels]);
    const neighbours = gpu.tensor(hashNeighbours(spec as never), [batch, points, k]);
    const torchShape = [outChannels, 2 * channels];
    const weights = permute(hashWeights('w', torchShape), torchShape, [1, 0]);
    const weight = gpu.tensor(weights, [2 * channels, outChannels]);
    const gamma = gpu.tensor(hashWeights('norm.weight', [outChannels]), [outChannels]);
    const beta = gpu.tensor(hashWeights('norm.bias', [outChannels]), [outChannels]);
    const runningMean = fill(gpu, [outChannels], 0);
    const runningVar = fill(gpu, [outChannels], 1);
    const options = { runningMean, runningVar, training: true, slope: 0.2 };
    const forward = () => edgeConv(x, neighbours, weight, gamma, beta, options);
    const transpose = (values: Float32Array) => permute(values, [2 * channels, outChannels], [1, 0]) as Float32Array;
    const check: Step['check'] = (outputs) => digests(outputs, { dw: transpose });
    if (!backward) {
      return {
        queue() {
          const output = forward();
          return { result: output, outputs: { output } };
        },
        check,
      };
    }
    const inputs = { dx: x, dw: weight, dgamma: gamma, dbeta: beta };
    for (const tensor of Object.values(inputs)) tensor.requiresGrad = true;
    const seed = input(gpu, 'dy', [batch, points, outChannels]);
    return {
      queue() {
        const outputs = gradientsOf(gpu, forward, inputs, seed);
        return { result: outputs.dx, outputs };
      },
      check,
    };
  },

  crossEntropy(gpu, { rows, classes }) {
    const logits = gpu.tensor(hashUniform('logits', [rows, classes], 5), [rows, classes]);
    const labels = gpu.tensor(hashLabels('labels', rows, classes), [rows]);
    logits.requiresGrad = true;
    return {
      queue() {
        const outputs = gradientsOf(gpu, () => softmaxCrossEntropy(logits, labels), { dlogits: logits });
        return { result: outputs.output, outputs };
      },
      check: (outputs) => digests(outputs, {}),
    };
  },
};
STEPS.cold = STEPS.matmul; // of which the start of the process is timed

/** Layers as ONNX ops, in evaluation: batch norm is folded into the product or convolution before it. */
import type { Floats, StateDict } from '../model/module.ts';
import { RomoError } from '../tensor/error.ts';
import type { Graph } from './graph.ts';

const EPSILON = 1e-5; // of batch norm

/** A graph whose layers read their weights from a state dict. */
export class Layers {
  /** @param prefix of the encoder's names in the state dict */
  constructor(
    readonly graph: Graph,
    private readonly state: StateDict,
    private readonly prefix: string,
  ) {}

  has(name: string): boolean {
    return this.prefix + name in this.state;
  }

  /** @throws RomoError `state-dict` if there is no such tensor */
  weight(name: string): Floats {
    if (this.has(name)) return this.state[this.prefix + name];
    throw new RomoError('state-dict', `the model lacks ${this.prefix}${name}`, 'Use a file that training has written.');
  }

  /** Batch norm as y = scale x + shift, per channel. */
  norm(name: string): { scale: Float64Array; shift: Float64Array } {
    const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
      (part) => this.weight(`${name}.${part}`).data,
    );
    const scale = Float64Array.from(gamma, (value, i) => value / Math.sqrt(variance[i] + EPSILON));
    return { scale, shift: Float64Array.from(beta, (value, i) => value - mean[i] * scale[i]) };
  }

  /** x where x > 0, else slope x. */
  activate(x: string, slope: number): string {
    return slope === 0 ? this.graph.node('Relu', [x]) : this.graph.node('LeakyRelu', [x], { alpha: { float: slope } });
  }

  /** Convolution without bias, then batch norm: x [B, in, H, W] -> [B, out, H', W']. Padding keeps the size at stride 1. */
  convolution(x: string, name: string, norm: string, stride: number): string {
    const { data, shape } = this.weight(`${name}.weight`); // [out, in, size, size]
    const { scale, shift } = this.norm(norm);
    const perChannel = data.length / shape[0];
    const folded = data.map((value, i) => value * scale[Math.floor(i / perChannel)]);
    const padding = (shape[2] - 1) / 2;
    const weight = this.graph.constant(`${name}.weight`, folded, shape);
    const bias = this.graph.constant(`${name}.bias`, Float32Array.from(shift), [shape[0]]);
    return this.graph.node('Conv', [x, weight, bias], {
      kernel_shape: [shape[2], shape[3]],
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
    });
  }

  /** Linear layer, then batch norm and activation: x [.., in] -> [.., out]. */
  linear(x: string, name: string, norm: string, slope: number): string {
    const { data, shape } = this.weight(`${name}.weight`); // [out, in], perhaps with axes of length 1
    const [outChannels, inChannels] = shape;
    const { scale, shift } = this.norm(norm);
    const bias = this.has(`${name}.bias`) ? this.weight(`${name}.bias`).data : null;
    const matrix = new Float32Array(data.length); // [in, out]
    for (let out = 0; out < outChannels; out++) {
      for (let c = 0; c < inChannels; c++) matrix[c * outChannels + out] = data[out * inChannels + c] * scale[out];
    }
    const shifts = Float32Array.from(shift, (value, out) => value + scale[out] * (bias?.[out] ?? 0));
    return this.activate(this.affine(x, name, matrix, shifts), slope);
  }

  /** x [.., in] -> x matrix + shifts [.., out] */
  affine(x: string, name: string, matrix: Float32Array, shifts: Float32Array): string {
    const out = shifts.length;
    const weight = this.graph.constant(`${name}.weight`, matrix, [matrix.length / out, out]);
    const bias = this.graph.constant(`${name}.bias`, shifts, [out]);
    return this.graph.node('Add', [this.graph.node('MatMul', [x, weight]), bias]);
  }

  /** Rows of length 1: x / max(|x|, 1e-12). */
  normalize(x: string): string {
    const { graph } = this;
    const squares = graph.node('ReduceSum', [graph.node('Mul', [x, x]), graph.wholes(1)], { keepdims: 1 });
    const least = graph.constant(`least of ${x}`, Float32Array.of(1e-12), []);
    return graph.node('Div', [x, graph.node('Max', [graph.node('Sqrt', [squares]), least])]);
  }
}

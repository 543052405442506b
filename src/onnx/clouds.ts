/** The encoders of model/dgcnn.ts and model/pointnet.ts as ONNX ops. */
import { DOUBLE } from './graph.ts';
import type { Layers } from './layers.ts';

/** The pooled points: x [B, N, C] -> [B, C] */
function pool({ graph }: Layers, x: string, kinds: readonly ('Max' | 'Average')[]): string {
  const channelsFirst = graph.node('Transpose', [x], { perm: [0, 2, 1] });
  const pooled = kinds.map((kind) => graph.node(`Global${kind}Pool`, [channelsFirst]));
  return graph.node('Flatten', [pooled.length > 1 ? graph.node('Concat', pooled, { axis: 1 }) : pooled[0]]);
}

/**
 * x [B, N, C] -> the k nearest points of each, int64 [B, N, k], of equal distances the lower index first.
 * |x_i - x_j|^2 in full for the three coordinates; for features by 2 x_i x_j - |x_j|^2, in float64: in float32
 * that difference has so few digits left that it now and then picks a wrong neighbour.
 */
function nearest({ graph }: Layers, x: string, channels: number, k: number): string {
  const scores = () => {
    const wide = graph.node('Cast', [x], { to: DOUBLE });
    const squares = graph.node('ReduceSum', [graph.node('Mul', [wide, wide]), graph.wholes(2)], { keepdims: 0 });
    const products = graph.node('MatMul', [wide, graph.node('Transpose', [wide], { perm: [0, 2, 1] })]);
    return graph.node('Sub', [
      graph.node('Add', [products, products]),
      graph.node('Unsqueeze', [squares, graph.wholes(1)]),
    ]);
  };
  const distances = () => {
    const turned = graph.node('Transpose', [x], { perm: [0, 2, 1] }); // [B, 3, N]
    const [from, to] = [3, 2].map((axis) => graph.node('Unsqueeze', [turned, graph.wholes(axis)]));
    const difference = graph.node('Sub', [from, to]);
    const squares = graph.node('Mul', [difference, difference]); // [B, 3, N, N]
    return graph.node('ReduceSum', [squares, graph.wholes(1)], { keepdims: 0 });
  };
  const [ranked, largest] = channels === 3 ? [distances(), 0] : [scores(), 1];
  return graph.nodeOf('TopK', [ranked, graph.wholes(k)], { axis: -1, largest }, 2)[1];
}

/**
 * EdgeConv, factorised as in autograd/edge_conv.ts: with W = [A | B], scaled by batch norm, an edge's value is P_j + Q_i
 * with P = A x and Q = (B - A) x + shift. The activation is monotone, so only P is gathered.
 * x [B, N, C] -> [B, N, O]
 */
function edgeConv(layers: Layers, x: string, name: string, k: number): string {
  const { graph } = layers;
  const { data, shape } = layers.weight(`${name}.0.weight`); // [O, 2C, 1, 1]
  const [outChannels, channels] = [shape[0], shape[1] / 2];
  const { scale, shift } = layers.norm(`${name}.1`);
  const matrix = new Float32Array(data.length); // [C, 2O]: A^T and (B - A)^T side by side
  for (let c = 0; c < channels; c++) {
    for (let out = 0; out < outChannels; out++) {
      const [a, b] = [data[2 * channels * out + c], data[2 * channels * out + channels + c]];
      matrix[2 * outChannels * c + out] = scale[out] * a;
      matrix[2 * outChannels * c + outChannels + out] = scale[out] * (b - a);
    }
  }
  const shifts = Float32Array.from({ length: 2 * outChannels }, (_, i) =>
    i < outChannels ? 0 : shift[i - outChannels],
  );
  const halves = graph.wholes(outChannels, outChannels);
  const [p, q] = graph.nodeOf('Split', [layers.affine(x, name, matrix, shifts), halves], { axis: 2 }, 2);
  const index = graph.node('Unsqueeze', [nearest(layers, x, channels, k), graph.wholes(3)]); // [B, N, k, 1]
  const near = graph.node('GatherND', [p, index], { batch_dims: 1 }); // [B, N, k, O]
  const peak = graph.node('MaxPool', [near], { kernel_shape: [k, 1] }); // [B, N, 1, O]
  return layers.activate(graph.node('Add', [graph.node('Squeeze', [peak, graph.wholes(2)]), q]), 0.2);
}

/** x [B, N, 3] -> embedding [B, d], not normalised. */
export function dgcnn(layers: Layers, x: string, k: number): string {
  const features: string[] = [];
  let number = 1;
  for (; layers.has(`conv${number + 1}.0.weight`); number++) {
    features.push(edgeConv(layers, features.at(-1) ?? x, `conv${number}`, k));
  }
  const joined = layers.graph.node('Concat', features, { axis: 2 });
  const points = layers.linear(joined, `conv${number}.0`, `conv${number}.1`, 0.2);
  return layers.linear(pool(layers, points, ['Max', 'Average']), 'linear1', 'bn1', 0.01);
}

/** x [B, N, 3] -> embedding [B, d], not normalised. */
export function pointnet(layers: Layers, x: string): string {
  let y = x;
  let number = 1;
  for (; layers.has(`conv${number}.weight`); number++) y = layers.linear(y, `conv${number}`, `bn${number}`, 0);
  return layers.linear(pool(layers, y, ['Max']), 'linear1', `bn${number}`, 0.01);
}

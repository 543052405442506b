/**
 * onnxruntime-node with its WebGPU execution provider, for forward graphs only. It opens the GPU itself, so its buffers
 * are not counted and `--adapter` has no effect. Times include the upload of inputs and the readback of all outputs.
 */
import { createRequire } from 'node:module';
import { digest, sampleRows } from '../check.mjs';
import { hashNeighbours, hashUniform, hashWeights, permute, TO_CHANNELS_FIRST, TO_CHANNELS_LAST } from '../inputs.mjs';
import { dgcnn, parametersOf, resnet18 } from '../networks.mjs';
import { Graph } from './onnx.mjs';

const require = createRequire(import.meta.url);
let ort;

export async function open() {
  ort = require('onnxruntime-node');
  return {
    about: { version: ort.env.versions.node ?? ort.env.versions.common },
    prepare: (spec) => PREPARE[spec.kind](spec),
  };
}

/** Runs `graph` and passes the output's data to `check`. */
async function session(graph, output, shape, inputs, check, isIndices = false) {
  const model = graph.model(output, shape, isIndices);
  const running = await ort.InferenceSession.create(model, { executionProviders: ['webgpu'], logSeverityLevel: 3 });
  const feeds = Object.fromEntries(inputs.map(([name, data, dims]) => [name, new ort.Tensor('float32', data, dims)]));
  let last = null;
  const run = async () => {
    last = (await running.run(feeds))[output];
  };
  return { run, check: async () => check(last.data) };
}

const values = (data) => ({ values: { output: digest(data) } });
const imageInput = (name, shape) => [
  permute(hashUniform(name, shape), shape, TO_CHANNELS_FIRST),
  TO_CHANNELS_FIRST.map((axis) => shape[axis]),
];

/** Indices of the k nearest neighbours of each point, int64 [B, N, k]. x [B, N, C] */
function nearest(graph, x, k) {
  const squares = graph.node('ReduceSum', [graph.node('Mul', [x, x]), graph.ints(-1)], { keepdims: 0 });
  const candidates = graph.node('Unsqueeze', [squares, graph.ints(1)]); // [B, 1, N]
  const products = graph.node('MatMul', [x, graph.node('Transpose', [x], { perm: [0, 2, 1] })]);
  const two = graph.constant(new Float32Array([2]), [1]);
  const scores = graph.node('Sub', [graph.node('Mul', [products, two]), candidates]);
  return graph.node('TopK', [scores, graph.ints(k)], { axis: -1 }, [`scores${graph.count}`, `indices${graph.count++}`]);
}

/** x [B, N, C], indices [B, N, k]; `norm` receives [B, N, k, O] and its name. */
function edgeConv(graph, x, indices, weight, norm, [batch, points, channels], k) {
  const starts = BigInt64Array.from({ length: batch }, (_, i) => BigInt(i * points));
  const flat = graph.node('Add', [indices, graph.constant(starts, [batch, 1, 1])]);
  const rows = graph.node('Reshape', [x, graph.ints(batch * points, channels)]);
  const near = graph.node('Gather', [rows, flat], { axis: 0 }); // [B, N, k, C]
  const centre = graph.node('Expand', [
    graph.node('Unsqueeze', [x, graph.ints(2)]),
    graph.ints(batch, points, k, channels),
  ]);
  const edges = graph.node('Concat', [graph.node('Sub', [near, centre]), centre], { axis: 3 });
  return graph.node('ReduceMax', [norm(graph.node('MatMul', [edges, weight])), graph.ints(2)], { keepdims: 0 });
}

const transposed = ([out, inner], name) => permute(hashWeights(name, [out, inner]), [out, inner], [1, 0]);

/** The ops of networks.mjs in evaluation. Images are channels first, everything else channels last. */
function opsOf(graph, spec) {
  const shapes = Object.fromEntries(parametersOf(spec));
  const activate = (y, slope) => {
    if (slope === 1) return y;
    return slope === 0 ? graph.node('Relu', [y]) : graph.node('LeakyRelu', [y], { alpha: slope });
  };
  const matrix = (name) => {
    const shape = shapes[`${name}.weight`];
    return graph.constant(transposed(shape, `${name}.weight`), [...shape].reverse());
  };
  const vector = (name, scale = 1) =>
    graph.constant(
      hashWeights(name, shapes[name]).map((value) => value * scale),
      shapes[name],
    );
  /** With running mean 0 and variance 1, a scale and a shift. */
  const norm = (x, name, slope) => {
    const scaled = graph.node('Mul', [x, vector(`${name}.weight`, 1 / Math.sqrt(1 + 1e-5))]);
    return activate(graph.node('Add', [scaled, vector(`${name}.bias`)]), slope);
  };
  const imageNorm = (x, name, slope) => {
    const channels = shapes[`${name}.weight`];
    const statistics = [0, 1].map((value) => graph.constant(new Float32Array(channels[0]).fill(value), channels));
    const inputs = [x, vector(`${name}.weight`), vector(`${name}.bias`), ...statistics];
    return activate(graph.node('BatchNormalization', inputs, { epsilon: 1e-5 }), slope);
  };
  let channels = 3;
  return {
    norm: (x, name, slope) => (name === 'bn_fc' || spec.network === 'dgcnn' ? norm : imageNorm)(x, name, slope),
    conv(x, name, stride, padding) {
      const shape = shapes[`${name}.weight`];
      const weight = graph.constant(hashWeights(`${name}.weight`, shape), shape);
      return graph.node('Conv', [x, weight], { strides: [stride, stride], pads: Array(4).fill(padding) });
    },
    maxPool: (x) => graph.node('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    relu: (x) => graph.node('Relu', [x]),
    add: (x, y) => graph.node('Add', [x, y]),
    meanPixels: (x) => graph.node('Flatten', [graph.node('GlobalAveragePool', [x])]),
    linear(x, name) {
      const y = graph.node('MatMul', [x, matrix(name)]);
      return shapes[`${name}.bias`] && name !== 'linear1' ? graph.node('Add', [y, vector(`${name}.bias`)]) : y;
    },
    concat: (list) => graph.node('Concat', list, { axis: -1 }),
    maxPoints: (x) => graph.node('ReduceMax', [x, graph.ints(1)], { keepdims: 0 }),
    meanPoints: (x) => graph.node('ReduceMean', [x, graph.ints(1)], { keepdims: 0 }),
    edgeConv(x, conv, name, k) {
      const sizes = [spec.batch, spec.points, channels];
      channels = shapes[`${conv}.weight`][0];
      return edgeConv(graph, x, nearest(graph, x, k), matrix(conv), (y) => norm(y, name, 0.2), sizes, k);
    },
  };
}

const PREPARE = {
  matmul({ m, k, n }) {
    const graph = new Graph();
    const output = graph.node('MatMul', [graph.input('a', [m, k]), graph.input('b', [k, n])]);
    const inputs = [
      ['a', hashUniform('a', [m, k]), [m, k]],
      ['b', hashUniform('b', [k, n]), [k, n]],
    ];
    return session(graph, output, [m, n], inputs, values);
  },

  conv({ batch, height, width, inChannels, outChannels, size, stride, padding, outHeight, outWidth }) {
    const graph = new Graph();
    const [x, shape] = imageInput('x', [batch, height, width, inChannels]);
    const weightShape = [outChannels, inChannels, size, size];
    const weight = graph.constant(hashWeights('w', weightShape), weightShape);
    const attributes = { strides: [stride, stride], pads: Array(4).fill(padding) };
    const output = graph.node('Conv', [graph.input('x', shape), weight], attributes);
    const outShape = [batch, outChannels, outHeight, outWidth];
    const check = (data) => values(permute(data, outShape, TO_CHANNELS_LAST));
    return session(graph, output, outShape, [['x', x, shape]], check);
  },

  knn({ batch, points, channels, k }) {
    const graph = new Graph();
    const shape = [batch, points, channels];
    const output = nearest(graph, graph.input('x', shape), k);
    const check = (data) => ({ rows: sampleRows(data, k) });
    return session(graph, output, [batch, points, k], [['x', hashUniform('x', shape), shape]], check, true);
  },

  edgeConv(spec) {
    const { batch, points, channels, outChannels, k } = spec;
    const graph = new Graph();
    const shape = [batch, points, channels];
    const indices = graph.constant(BigInt64Array.from(hashNeighbours(spec), BigInt), [batch, points, k]);
    const weight = graph.constant(transposed([outChannels, 2 * channels], 'w'), [2 * channels, outChannels]);
    const vector = (name) => graph.constant(hashWeights(name, [outChannels]), [outChannels]);
    /** With the statistics of the batch, as in training. */
    const norm = (y) => {
      const axes = graph.ints(0, 1, 2);
      const centred = graph.node('Sub', [y, graph.node('ReduceMean', [y, axes], { keepdims: 1 })]);
      const variance = graph.node('ReduceMean', [graph.node('Mul', [centred, centred]), axes], { keepdims: 1 });
      const epsilon = graph.constant(new Float32Array([1e-5]), [1]);
      const deviation = graph.node('Sqrt', [graph.node('Add', [variance, epsilon])]);
      const scaled = graph.node('Mul', [centred, graph.node('Div', [vector('norm.weight'), deviation])]);
      return graph.node('LeakyRelu', [graph.node('Add', [scaled, vector('norm.bias')])], { alpha: 0.2 });
    };
    const output = edgeConv(graph, graph.input('x', shape), indices, weight, norm, shape, k);
    return session(graph, output, [batch, points, outChannels], [['x', hashUniform('x', shape), shape]], values);
  },

  encode(spec) {
    const graph = new Graph();
    const images = spec.network === 'resnet18';
    const [x, shape] = images
      ? imageInput('x', [spec.batch, spec.size, spec.size, 3])
      : [hashUniform('x', [spec.batch, spec.points, 3]), [spec.batch, spec.points, 3]];
    const ops = opsOf(graph, spec);
    const input = graph.input('x', shape);
    const output = images ? resnet18(ops, input) : dgcnn(ops, input, spec.k);
    return session(graph, output, [spec.batch, spec.embedding], [['x', x, shape]], values);
  },
};

PREPARE.cold = PREPARE.matmul;

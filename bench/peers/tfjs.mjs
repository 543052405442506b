/** TensorFlow.js on WebGPU: eager, each run in a tidy, gradients by its own tape. */
import { digest, sampleRows } from '../check.mjs';
import { installNavigator } from '../gpu.mjs';
import {
  hashLabels,
  hashNeighbours,
  hashUniform,
  hashWeights,
  oneHot,
  permute,
  TO_HWIO,
  TO_OIHW,
  unitRows,
} from '../inputs.mjs';
import { dgcnn, parametersOf, resnet18 } from '../networks.mjs';

let tf;

export async function open({ adapter }) {
  const { counters } = installNavigator(adapter);
  ({ default: tf } = await import('../../dist/bench/tfjs.cjs')); // looks for navigator.gpu on loading
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js found no WebGPU adapter');
  await tf.ready();
  return { about: { version: tf.version_core }, prepare: (spec) => PREPARE[spec.kind](spec), counters };
}

const input = (name, shape) => tf.tensor(hashUniform(name, shape), shape);
const matrix = (name, [out, inner]) =>
  tf.tensor(permute(hashWeights(name, [out, inner]), [out, inner], [1, 0]), [inner, out]);

/** Runs `body` in a tidy, keeps its latest result, and reads one element of the first tensor. */
function timed(body, read = (outputs) => Object.values(outputs)[0]) {
  let outputs = {};
  return {
    outputs: () => outputs,
    run: async () => {
      tf.dispose(outputs);
      outputs = tf.tidy(body);
      const first = tf.tidy(() => read(outputs).reshape([-1]).slice([0], [1]));
      const [value] = await first.data();
      first.dispose();
      return value;
    },
  };
}

async function digests(outputs, as = {}) {
  const values = {};
  for (const [name, tensor] of Object.entries(outputs)) {
    const data = await tensor.data();
    values[name] = digest(as[name] ? as[name](data) : data);
  }
  return { values };
}

/** Indices of the k nearest neighbours of each point, itself included. x [B, N, C] */
function nearest(x, k) {
  const squares = x.square().sum(-1, true); // [B, N, 1]
  const products = tf.matMul(x, x, false, true); // [B, N, N]
  // |x_i|^2 is the same for all candidates of a row and does not change their order.
  return tf.topk(products.mul(2).sub(squares.transpose([0, 2, 1])), k).indices;
}

/** Neighbours as rows of the flattened points. [B, N, k] */
function flatIndices(indices, [batch, points]) {
  return indices.add(tf.range(0, batch, 1, 'int32').mul(tf.scalar(points, 'int32')).reshape([batch, 1, 1]));
}

/** x[indices] without a gradient for the indices, since kNN has none. */
function gatherPoints(x, indicesOf) {
  const [batch, points, channels] = x.shape;
  const gather = tf.customGrad((input, save) => {
    const indices = flatIndices(indicesOf(input), [batch, points]);
    save([indices]);
    const value = tf.gather(input.reshape([batch * points, channels]), indices.reshape([-1]));
    const gradFunc = (dy, [saved]) =>
      tf.unsortedSegmentSum(dy, saved.reshape([-1]), batch * points).reshape([batch, points, channels]);
    return { value, gradFunc };
  });
  return gather(x).reshape([batch, points, -1, channels]);
}

function batchNorm(x, gamma, beta, slope) {
  const axes = x.shape.map((_, axis) => axis).slice(0, -1);
  const { mean, variance } = tf.moments(x, axes);
  return activate(normalise(x, mean, variance, gamma, beta), slope);
}

const normalise = (x, mean, variance, gamma, beta) => tf.batchNorm(x, mean, variance, beta, gamma, 1e-5);
const activate = (x, slope) => (slope === 1 ? x : slope === 0 ? tf.relu(x) : tf.leakyRelu(x, slope));

function edgeConv(x, indicesOf, weight, norm) {
  const near = gatherPoints(x, indicesOf); // [B, N, k, C]
  const [batch, points, k, channels] = near.shape;
  const centre = x.expandDims(2).tile([1, 1, k, 1]);
  const edges = tf.concat([near.sub(centre), centre], 3).reshape([-1, 2 * channels]);
  return norm(tf.matMul(edges, weight).reshape([batch, points, k, -1])).max(2);
}

/** The ops of networks.mjs; channels last. */
function opsOf(weights, training) {
  const of = (name) => weights[`${name}.weight`];
  const norm = (x, name, slope) => {
    const [gamma, beta] = [of(name), weights[`${name}.bias`]];
    if (training) return batchNorm(x, gamma, beta, slope);
    return activate(normalise(x, tf.zeros(gamma.shape), tf.ones(gamma.shape), gamma, beta), slope);
  };
  return {
    norm,
    conv: (x, name, stride, padding) => tf.conv2d(x, of(name), stride, padding),
    maxPool: (x) => tf.maxPool(x, 3, 2, 1),
    relu: tf.relu,
    add: tf.add,
    meanPixels: (x) => x.mean([1, 2]),
    linear(x, name) {
      const y = tf.matMul(x.reshape([-1, x.shape.at(-1)]), of(name)).reshape([...x.shape.slice(0, -1), -1]);
      const bias = weights[`${name}.bias`];
      return bias ? y.add(bias) : y;
    },
    concat: (list) => tf.concat(list, -1),
    maxPoints: (x) => x.max(1),
    meanPoints: (x) => x.mean(1),
    edgeConv: (x, conv, name, k) =>
      edgeConv(
        x,
        (points) => nearest(points, k),
        of(conv),
        (y) => norm(y, name, 0.2),
      ),
  };
}

function weightsOf(spec) {
  return Object.fromEntries(
    parametersOf(spec).map(([name, shape]) => {
      const values = hashWeights(name, shape);
      if (shape.length === 4)
        return [
          name,
          tf.tensor(
            permute(values, shape, TO_HWIO),
            TO_HWIO.map((axis) => shape[axis]),
          ),
        ];
      return [name, shape.length === 2 ? matrix(name, shape) : tf.tensor(values, shape)];
    }),
  );
}

function networkInput(spec) {
  const images = spec.network === 'resnet18';
  const x = input('x', images ? [spec.batch, spec.size, spec.size, 3] : [spec.batch, spec.points, 3]);
  const forward = (weights, training) =>
    images ? resnet18(opsOf(weights, training), x) : dgcnn(opsOf(weights, training), x, spec.k);
  return { forward };
}

const PREPARE = {
  matmul({ m, k, n }) {
    const [a, b] = [input('a', [m, k]), input('b', [k, n])];
    const { run, outputs } = timed(() => ({ output: tf.matMul(a, b) }));
    return { run, check: () => digests(outputs()) };
  },

  conv({ batch, height, width, inChannels, outChannels, size, stride, padding, outHeight, outWidth, backward }) {
    const x = input('x', [batch, height, width, inChannels]);
    const shape = [outChannels, inChannels, size, size];
    const laid = TO_HWIO.map((axis) => shape[axis]);
    const w = tf.tensor(permute(hashWeights('w', shape), shape, TO_HWIO), laid);
    const forward = (input, weight) => tf.conv2d(input, weight, stride, padding);
    const seed = backward && input('dy', [batch, outHeight, outWidth, outChannels]);
    const gradients = backward && tf.valueAndGrads(forward);
    const { run, outputs } = timed(() => {
      if (!backward) return { output: forward(x, w) };
      const { value, grads } = gradients([x, w], seed);
      return { dx: grads[0], dw: grads[1], output: value };
    });
    return { run, check: () => digests(outputs(), { dw: (values) => permute(values, laid, TO_OIHW) }) };
  },

  knn({ batch, points, channels, k }) {
    const x = input('x', [batch, points, channels]);
    const { run, outputs } = timed(() => ({ indices: nearest(x, k) }));
    return { run, check: async () => ({ rows: sampleRows(await outputs().indices.data(), k) }) };
  },

  edgeConv(spec) {
    const { batch, points, channels, outChannels, k, backward } = spec;
    const x = input('x', [batch, points, channels]);
    const indices = tf.tensor(hashNeighbours(spec), [batch, points, k], 'int32');
    const w = matrix('w', [outChannels, 2 * channels]);
    const gamma = tf.tensor(hashWeights('norm.weight', [outChannels]));
    const beta = tf.tensor(hashWeights('norm.bias', [outChannels]));
    const forward = (points, weight, scale, shift) =>
      edgeConv(
        points,
        () => indices,
        weight,
        (y) => batchNorm(y, scale, shift, 0.2),
      );
    const seed = backward && input('dy', [batch, points, outChannels]);
    const gradients = backward && tf.valueAndGrads(forward);
    const { run, outputs } = timed(() => {
      if (!backward) return { output: forward(x, w, gamma, beta) };
      const { value, grads } = gradients([x, w, gamma, beta], seed);
      return { dx: grads[0], dw: grads[1], dgamma: grads[2], dbeta: grads[3], output: value };
    });
    const transpose = (values) => permute(values, [2 * channels, outChannels], [1, 0]);
    return { run, check: () => digests(outputs(), { dw: transpose }) };
  },

  crossEntropy({ rows, classes }) {
    const logits = tf.tensor(hashUniform('logits', [rows, classes], 5), [rows, classes]);
    const targets = tf.tensor(oneHot(hashLabels('labels', rows, classes), classes), [rows, classes]);
    const gradient = tf.valueAndGrad((z) => tf.losses.softmaxCrossEntropy(targets, z));
    const { run, outputs } = timed(() => {
      const { value, grad } = gradient(logits);
      return { output: value, dlogits: grad };
    });
    return { run, check: () => digests(outputs()) };
  },

  search({ rows, queries, channels, k }) {
    const unit = (name, count) =>
      tf.tensor(unitRows(hashUniform(name, [count, channels]), channels), [count, channels]);
    const [gallery, asked] = [unit('gallery', rows), unit('queries', queries)];
    const body = () => ({ indices: tf.topk(tf.matMul(asked, gallery, false, true), k).indices });
    const { run, outputs } = timed(body);
    return { run, check: async () => ({ rows: sampleRows(await outputs().indices.data(), k) }) };
  },

  train(spec) {
    const { forward } = networkInput(spec);
    const variables = Object.fromEntries(
      Object.entries(weightsOf(spec)).map(([name, tensor]) => [name, tf.variable(tensor)]),
    );
    const targets = tf.tensor(oneHot(hashLabels('labels', spec.batch, spec.classes), spec.classes), [
      spec.batch,
      spec.classes,
    ]);
    const optimiser = tf.train.momentum(spec.learningRate, spec.momentum);
    const loss = () =>
      tf.losses.softmaxCrossEntropy(targets, opsOf(variables, true).linear(forward(variables, true), 'classifier'));
    const losses = [];
    return {
      run: async () => {
        const value = tf.tidy(() => optimiser.minimize(loss, true));
        losses.push((await value.data())[0]);
        value.dispose();
      },
      check: async () => ({ losses: losses.slice(0, 3) }),
    };
  },

  encode(spec) {
    const { forward } = networkInput(spec);
    const weights = weightsOf(spec);
    const { run, outputs } = timed(() => ({ output: forward(weights, false) }));
    return { run, check: () => digests(outputs()) };
  },
};

PREPARE.cold = PREPARE.matmul;

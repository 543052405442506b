/** Ops for the workloads of jaxjs.mjs. Ops consume their arrays; `.ref` keeps one for another use. */
import * as jax from '@jax-js/jax';
import { hashWeights } from '../inputs.mjs';
import { dgcnnTail, parametersOf } from '../networks.mjs';

const { jit, lax, nn, numpy: np, valueAndGrad } = jax;

export const weight = (name, shape) => np.array(hashWeights(name, shape), { shape });

/** Indices of the k nearest neighbours of each point, itself included. x [B, N, C] */
export function nearest(x, k) {
  const squares = np.sum(np.square(x.ref), -1); // [B, N]
  const products = np.matmul(x.ref, np.swapaxes(x, 1, 2)); // [B, N, N]
  const [values, indices] = lax.topK(products.mul(2).sub(np.expandDims(squares, 1)), k);
  values.dispose();
  return indices;
}

/** x[indices]: [B, N, C], [B, N, k] -> [B, N, k, C] */
export function gatherPoints(x, indices) {
  const [batch, points, channels] = x.shape;
  const starts = np.arange(0, batch * points, points, { dtype: np.int32 }).reshape([batch, 1, 1]);
  return x.reshape([batch * points, channels]).slice(indices.add(starts));
}

function edges(x, near) {
  const centre = np.broadcastTo(np.expandDims(x, 2), near.shape);
  return np.concatenate([near.sub(centre.ref), centre], 3);
}

const activate = (x, slope) => (slope === 1 ? x : slope === 0 ? nn.relu(x) : nn.leakyRelu(x, slope));

/** Reduces over all axes except `axis`. Consumes its arguments. */
function batchNorm(x, gamma, beta, slope, axis) {
  const shape = x.shape.map((length, i) => (i === axis ? length : 1));
  const over = x.shape.map((_, i) => i).filter((i) => i !== axis);
  const centred = x.ref.sub(np.mean(x, over, { keepdims: true }));
  const variance = np.mean(np.square(centred.ref), over, { keepdims: true });
  const scaled = centred.mul(gamma.reshape(shape).div(np.sqrt(variance.add(1e-5))));
  return activate(scaled.add(beta.reshape(shape)), slope);
}

/** x [B, N, C], near [B, N, k, C], w [O, 2C]. Consumes its arguments. */
export function edgeLayer(x, near, w, gamma, beta) {
  const y = np.matmul(edges(x, near), w.transpose());
  return np.max(batchNorm(y, gamma, beta, 0.2, 3), 2);
}

/** The ops of networks.mjs, for use inside a jit, where nothing is consumed. Images are channels first. */
export function opsOf(weights, training) {
  const of = (name, part = 'weight') => weights[`${name}.${part}`]?.ref;
  return {
    norm(x, name, slope) {
      const axis = x.shape.length === 4 ? 1 : x.shape.length - 1;
      if (training) return batchNorm(x.ref, of(name), of(name, 'bias'), slope, axis);
      const shape = x.shape.map((length, i) => (i === axis ? length : 1));
      const gamma = of(name)
        .reshape(shape)
        .div(Math.sqrt(1 + 1e-5));
      return activate(x.ref.mul(gamma).add(of(name, 'bias').reshape(shape)), slope);
    },
    conv: (x, name, stride, padding) =>
      lax.conv(
        x.ref,
        of(name),
        [stride, stride],
        [
          [padding, padding],
          [padding, padding],
        ],
      ),
    maxPool(x) {
      // After ReLU, padding with zeros does not change the maximum.
      const around = [
        [0, 0],
        [0, 0],
        [1, 1],
        [1, 1],
      ]; // prettier-ignore
      return lax.reduceWindow(np.pad(x.ref, around), np.max, [3, 3], [2, 2]);
    },
    relu: (x) => nn.relu(x.ref),
    add: (x, y) => x.ref.add(y.ref),
    meanPixels: (x) => np.mean(x.ref, [2, 3]),
    linear(x, name) {
      const y = np.matmul(x.ref, of(name).transpose());
      const bias = of(name, 'bias');
      return bias ? y.add(bias) : y;
    },
    concat: (list) =>
      np.concatenate(
        list.map((x) => x.ref),
        -1,
      ),
    maxPoints: (x) => np.max(x.ref, 1),
    meanPoints: (x) => np.mean(x.ref, 1),
  };
}

export const weightsOf = (spec) =>
  Object.fromEntries(parametersOf(spec).map(([name, shape]) => [name, weight(name, shape)]));

const LAYERS = [1, 2, 3, 4].map((i) => [`conv${i}.0.weight`, `conv${i}.1.weight`, `conv${i}.1.bias`]);
const inLayers = new Set(LAYERS.flat());

/** The weights outside the EdgeConv layers. */
export const restOf = (weights) => Object.fromEntries(Object.entries(weights).filter(([name]) => !inLayers.has(name)));

/** DGCNN in evaluation, split: kNN, each layer and the tail in a jit each, gather outside. */
export function dgcnnForward(k) {
  const neighbours = jit((x) => nearest(x, k));
  const layer = jit((x, near, w, gamma, beta) => {
    const y = np.matmul(edges(x, near), w.transpose()).mul(gamma.div(Math.sqrt(1 + 1e-5)));
    return np.max(nn.leakyRelu(y.add(beta), 0.2), 2);
  });
  const tail = jit((weights, features) => dgcnnTail(opsOf(weights, false), features));
  return (weights, x) => {
    const features = [];
    let y = x;
    for (const names of LAYERS) {
      const near = gatherPoints(y.ref, neighbours(y.ref));
      y = layer(y, near, ...names.map((name) => weights[name]));
      features.push(y.ref);
    }
    y.dispose();
    return tail(restOf(weights), features);
  };
}

/** Loss and gradients of DGCNN in the same pieces, joined by hand with the chain rule. */
export function dgcnnGradients(k) {
  const neighbours = jit((x) => nearest(x, k));
  const layer = jit(edgeLayer);
  const tail = jit((weights, features, targets) =>
    valueAndGrad(
      (w, f) => {
        const ops = opsOf(w, true);
        return crossEntropy(ops.linear(dgcnnTail(ops, f), 'classifier'), targets);
      },
      { argnums: [0, 1] },
    )(weights, features),
  );
  return (weights, x, targets) => {
    const features = [];
    const pullbacks = [];
    let y = x;
    for (const names of LAYERS) {
      const indices = neighbours(y.ref);
      const forward = (rows, ...rest) => layer(rows.ref, gatherPoints(rows, indices.ref), ...rest);
      const [output, pullback] = jax.vjp(forward, [y, ...names.map((name) => weights[name])]);
      indices.dispose();
      pullbacks.push(pullback);
      features.push(output.ref);
      y = output;
    }
    y.dispose();
    const [value, [gradients, featureGradients]] = tail(restOf(weights), features, targets);
    let later = null;
    for (let i = LAYERS.length - 1; i >= 0; i--) {
      const dy = later ? featureGradients[i].add(later) : featureGradients[i];
      const [dx, ...others] = pullbacks[i](dy);
      pullbacks[i].dispose();
      LAYERS[i].forEach((name, j) => {
        gradients[name] = others[j];
      });
      later = dx;
    }
    later.dispose();
    return [value, gradients];
  };
}

export const crossEntropy = (logits, targets) => np.mean(np.sum(nn.logSoftmax(logits).mul(targets), -1)).mul(-1);

/**
 * jax-js on WebGPU, with one `jit` per whole function. Its jit cannot transpose a gather (EdgeConv's gradient), so
 * DGCNN and EdgeConv's backward are split there: gather outside, everything else in jits. Ops consume their arrays;
 * `.ref` keeps one for another use.
 */
import * as jax from '@jax-js/jax';
import { digest, sampleRows } from '../check.mjs';
import { installNavigator } from '../gpu.mjs';
import {
  hashLabels,
  hashNeighbours,
  hashUniform,
  oneHot,
  permute,
  TO_CHANNELS_FIRST,
  TO_CHANNELS_LAST,
  unitRows,
} from '../inputs.mjs';
import { resnet18 } from '../networks.mjs';
import {
  crossEntropy,
  dgcnnForward,
  dgcnnGradients,
  edgeLayer,
  gatherPoints,
  nearest,
  opsOf,
  weight,
  weightsOf,
} from './jaxjs_ops.mjs';

const { jit, lax, numpy: np, valueAndGrad } = jax;
const version = '0.1.25';

export async function open({ adapter }) {
  const { counters } = installNavigator(adapter);
  if (!(await jax.init('webgpu')).includes('webgpu')) throw new Error('jax-js found no WebGPU adapter');
  jax.defaultDevice('webgpu');
  return { about: { version }, prepare: (spec) => PREPARE[spec.kind](spec), counters };
}

const input = (name, shape) => np.array(hashUniform(name, shape), { shape });
/** Converts the shared channels-last inputs to channels first. */
const image = (name, shape) =>
  np.array(permute(hashUniform(name, shape), shape, TO_CHANNELS_FIRST), {
    shape: TO_CHANNELS_FIRST.map((axis) => shape[axis]),
  });

/** `call` returns named arrays; one element of the first one is read. */
function timed(call) {
  let outputs = {};
  return {
    outputs: () => outputs,
    run: async () => {
      for (const array of Object.values(outputs)) array.dispose();
      outputs = call();
      await Object.values(outputs)[0].ref.ravel().slice([0, 1]).data();
    },
  };
}

async function digests(outputs, channelsFirst = []) {
  const values = {};
  for (const [name, array] of Object.entries(outputs)) {
    const { shape } = array;
    const data = await array.ref.data();
    values[name] = digest(channelsFirst.includes(name) ? permute(data, shape, TO_CHANNELS_LAST) : data);
  }
  return { values };
}

function networkInput(spec) {
  const images = spec.network === 'resnet18';
  return images ? image('x', [spec.batch, spec.size, spec.size, 3]) : input('x', [spec.batch, spec.points, 3]);
}

const PREPARE = {
  matmul({ m, k, n }) {
    const [a, b] = [input('a', [m, k]), input('b', [k, n])];
    const product = jit((x, y) => np.matmul(x, y));
    const { run, outputs } = timed(() => ({ output: product(a.ref, b.ref) }));
    return { run, check: () => digests(outputs()) };
  },

  conv({ batch, height, width, inChannels, outChannels, size, stride, padding, outHeight, outWidth, backward }) {
    const x = image('x', [batch, height, width, inChannels]);
    const w = weight('w', [outChannels, inChannels, size, size]);
    const pads = [
      [padding, padding],
      [padding, padding],
    ]; // prettier-ignore
    const forward = (input, kernel) => lax.conv(input, kernel, [stride, stride], pads);
    if (!backward) {
      const call = jit(forward);
      const { run, outputs } = timed(() => ({ output: call(x.ref, w.ref) }));
      return { run, check: () => digests(outputs(), ['output']) };
    }
    const seed = image('dy', [batch, outHeight, outWidth, outChannels]);
    const call = jit((input, kernel, dy) => {
      const [output, pullback] = jax.vjp(forward, [input, kernel]);
      const [dx, dw] = pullback(dy);
      return { dx, dw, output };
    });
    const { run, outputs } = timed(() => call(x.ref, w.ref, seed.ref));
    return { run, check: () => digests(outputs(), ['output', 'dx']) };
  },

  knn({ batch, points, channels, k }) {
    const x = input('x', [batch, points, channels]);
    const call = jit((rows) => nearest(rows, k));
    const { run, outputs } = timed(() => ({ indices: call(x.ref) }));
    return { run, check: async () => ({ rows: sampleRows(await outputs().indices.ref.data(), k) }) };
  },

  edgeConv(spec) {
    const { batch, points, channels, outChannels, k, backward } = spec;
    const x = input('x', [batch, points, channels]);
    const indices = np.array(hashNeighbours(spec), { shape: [batch, points, k], dtype: np.int32 });
    const w = weight('w', [outChannels, 2 * channels]);
    const gamma = weight('norm.weight', [outChannels]);
    const beta = weight('norm.bias', [outChannels]);
    if (!backward) {
      const call = jit((rows, near, ...rest) => edgeLayer(rows.ref, gatherPoints(rows, near), ...rest));
      const { run, outputs } = timed(() => ({ output: call(x.ref, indices.ref, w.ref, gamma.ref, beta.ref) }));
      return { run, check: () => digests(outputs()) };
    }
    const seed = input('dy', [batch, points, outChannels]);
    const layer = jit(edgeLayer);
    const { run, outputs } = timed(() => {
      const forward = (rows, ...rest) => layer(rows.ref, gatherPoints(rows, indices.ref), ...rest);
      const [output, pullback] = jax.vjp(forward, [x.ref, w.ref, gamma.ref, beta.ref]);
      const [dx, dw, dgamma, dbeta] = pullback(seed.ref);
      pullback.dispose();
      return { dx, dw, dgamma, dbeta, output };
    });
    return { run, check: () => digests(outputs()) };
  },

  crossEntropy({ rows, classes }) {
    const logits = np.array(hashUniform('logits', [rows, classes], 5), { shape: [rows, classes] });
    const targets = np.array(oneHot(hashLabels('labels', rows, classes), classes), { shape: [rows, classes] });
    const call = jit((z, y) => valueAndGrad(crossEntropy)(z, y));
    const { run, outputs } = timed(() => {
      const [output, dlogits] = call(logits.ref, targets.ref);
      return { output, dlogits };
    });
    return { run, check: () => digests(outputs()) };
  },

  search({ rows, queries, channels, k }) {
    const unit = (name, count) =>
      np.array(unitRows(hashUniform(name, [count, channels]), channels), { shape: [count, channels] });
    const [gallery, asked] = [unit('gallery', rows), unit('queries', queries)];
    const call = jit((all, some) => {
      const [values, indices] = lax.topK(np.matmul(some, all.transpose()), k);
      values.dispose();
      return indices;
    });
    const { run, outputs } = timed(() => ({ indices: call(gallery.ref, asked.ref) }));
    return { run, check: async () => ({ rows: sampleRows(await outputs().indices.ref.data(), k) }) };
  },

  train(spec) {
    const x = networkInput(spec);
    const { batch, classes, learningRate, momentum } = spec;
    const targets = np.array(oneHot(hashLabels('labels', batch, classes), classes), { shape: [batch, classes] });
    let weights = weightsOf(spec);
    let velocity = Object.fromEntries(Object.entries(weights).map(([name, array]) => [name, np.zeros(array.shape)]));
    const head = (all, y, labels) => crossEntropy(opsOf(all, true).linear(y, 'classifier'), labels.ref);
    const update = (grads, speeds, all) => {
      const [newSpeeds, newWeights] = [{}, {}];
      for (const name of Object.keys(all)) {
        newSpeeds[name] = speeds[name].mul(momentum).add(grads[name]);
        newWeights[name] = all[name].sub(newSpeeds[name].ref.mul(learningRate));
      }
      return { newSpeeds, newWeights };
    };
    let step;
    if (spec.network === 'resnet18') {
      step = jit((all, speeds, images, labels) => {
        const loss = (current) => head(current, resnet18(opsOf(current, true), images), labels);
        const [value, grads] = valueAndGrad(loss)(jax.tree.ref(all));
        return { value, ...update(grads, speeds, all) };
      });
    } else {
      const gradientsOf = dgcnnGradients(spec.k);
      const jittedUpdate = jit(update);
      step = (all, speeds, clouds, labels) => {
        const [value, grads] = gradientsOf(jax.tree.ref(all), clouds, labels);
        return { value, ...jittedUpdate(grads, speeds, all) };
      };
    }
    const losses = [];
    return {
      run: async () => {
        const { value, newSpeeds, newWeights } = step(weights, velocity, x.ref, targets.ref);
        velocity = newSpeeds;
        weights = newWeights;
        losses.push((await value.data())[0]);
        await jax.blockUntilReady(Object.values(weights)[0].ref);
      },
      check: async () => ({ losses: losses.slice(0, 3) }),
    };
  },

  encode(spec) {
    const x = networkInput(spec);
    const weights = weightsOf(spec);
    const call =
      spec.network === 'resnet18' ? jit((all, images) => resnet18(opsOf(all, false), images)) : dgcnnForward(spec.k);
    const { run, outputs } = timed(() => ({ output: call(jax.tree.ref(weights), x.ref) }));
    return { run, check: () => digests(outputs()) };
  },
};

PREPARE.cold = PREPARE.matmul;

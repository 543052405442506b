/** Fixtures of whole networks, whose weights are hashes of their names, and of training them. */
import * as assert from 'uvu/assert';
import { concat } from '../../src/autograd/concat.ts';
import { contrastive, rcll } from '../../src/autograd/losses.ts';
import { add, scale } from '../../src/autograd/pointwise.ts';
import { record } from '../../src/autograd/tape.ts';
import { Dgcnn } from '../../src/model/dgcnn.ts';
import { HeadMlp } from '../../src/model/heads.ts';
import type { Module } from '../../src/model/module.ts';
import { ResNet } from '../../src/model/resnet.ts';
import { Sgd } from '../../src/model/sgd.ts';
import type { Gpu } from '../../src/tensor/device.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { forwardBackward } from '../support/backward.ts';
import { assertClose } from '../support/close.ts';
import { channelsLast, type Fixture, hashWeights } from '../support/fixture.ts';
import type { Handler } from './ops.ts';

/** The weights are replaced by hashes, so how they were drawn does not matter. */
const INIT = { seed: 0, path: 'parity' };

/** Fills a module with the weights that the fixture's network has; `nameOf` gives PyTorch's name of ours. */
async function loadHashes(module: Module, nameOf: (name: string) => string = (name) => name): Promise<void> {
  const state = await module.stateDict();
  const parameters = module.parameters();
  for (const [name, { shape }] of Object.entries(state)) {
    if (parameters.has(name)) state[name] = { shape, data: hashWeights(nameOf(name), shape) };
  }
  module.loadStateDict(state);
}

function norm(values: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i] ** 2;
  return Math.sqrt(squares);
}

/** Features of an encoder and the norms of all its gradients. */
async function checkEncoder(
  gpu: Gpu,
  fixture: Fixture,
  encoder: Module & { forward(x: Tensor): Tensor },
): Promise<void> {
  try {
    const parameters = encoder.parameters();
    assert.equal([...parameters.keys()], fixture.attrs.parameters);
    await loadHashes(encoder);
    const { data, shape } = channelsLast(fixture.floats('in.x'), fixture.get('in.x').shape);
    const x = gpu.tensor(data, shape);
    // Evaluation first: it takes the running statistics as they were before training.
    if (fixture.has('out.features_eval')) {
      encoder.setTraining(false);
      const evaluated = await encoder.forward(x).readFloats();
      encoder.setTraining(true);
      assertClose('features in evaluation', evaluated, fixture.floats('out.features_eval'), fixture);
    }
    const seed = fixture.floats('grad_out.features');
    const forward = () => encoder.forward(x);
    const { output, gradients } = await forwardBackward(gpu, [...parameters.values()], forward, seed);
    assertClose('features', output, fixture.floats('out.features'), fixture);
    assertClose('norms of the gradients', gradients.map(norm), fixture.floats('out.grad_norms'), fixture);
  } finally {
    encoder.dispose();
  }
}

/** One batch of a fixture's tensor [steps, batch, ...]. */
function step<T extends Float32Array | Int32Array>(data: T, shape: readonly number[], index: number) {
  const size = data.length / shape[0];
  return { data: data.slice(index * size, (index + 1) * size) as T, shape: shape.slice(1) };
}

export const models: Readonly<Record<string, Handler>> = {
  resnet18(gpu, fixture) {
    const options = { inChannels: 3, outChannels: fixture.attrs.out_dim, depth: 18 } as const;
    return checkEncoder(gpu, fixture, new ResNet(gpu, options, INIT));
  },

  dgcnn(gpu, fixture) {
    const { out_dim: outChannels, k } = fixture.attrs;
    return checkEncoder(gpu, fixture, new Dgcnn(gpu, { outChannels, k }, INIT));
  },

  /** The losses of a few steps of the `rdl` stage: both encoders, the shared head, RCLL, L_mlm, SGD. */
  async rdl_trajectory(gpu, fixture) {
    const { out_dim: outChannels, k, classes, lr, momentum, alpha, tau } = fixture.attrs;
    const images = new ResNet(gpu, { inChannels: 3, outChannels, depth: 18 }, INIT);
    const points = new Dgcnn(gpu, { outChannels, k }, INIT);
    const head = new HeadMlp(gpu, outChannels, 128, classes, INIT);
    const torchHead: Record<string, string> = { fc1: 'head.0', fc2: 'head.2' };
    const names = [
      [images, (name: string) => `img.${name}`],
      [points, (name: string) => `pc.${name}`],
      [head, (name: string) => `head.${name.replace(/^fc\d/, (layer) => torchHead[layer])}`],
    ] as const;
    const parameters = new Map<string, Tensor>();
    for (const [module, nameOf] of names) {
      await loadHashes(module, nameOf);
      for (const [name, parameter] of module.parameters()) parameters.set(nameOf(name), parameter);
    }
    assert.equal([...parameters.keys()], fixture.attrs.parameters);
    const sgd = new Sgd(gpu, parameters, { learningRate: lr, momentum, weightDecay: fixture.attrs.weight_decay });
    try {
      const expected = fixture.floats('out.losses');
      const losses: number[] = [];
      for (let index = 0; index < expected.length; index++) {
        using _ = gpu.scope();
        const part = (name: string) => step(fixture.floats(name), fixture.get(name).shape, index);
        const upload = (name: string) => {
          const { data, shape } = channelsLast(part(name).data, part(name).shape);
          return gpu.tensor(data, shape);
        };
        const x = upload('in.images');
        const y = upload('in.points');
        const labels = step(fixture.ints('in.labels'), fixture.get('in.labels').shape, index).data; // [2, batch]
        const batch = labels.length / 2;
        const imageLabels = gpu.tensor(labels.subarray(0, batch), [batch]);
        const pointLabels = gpu.tensor(labels.subarray(batch), [batch]);
        const tape = record(gpu, () => {
          const u = images.forward(x);
          const v = points.forward(y);
          const robust = add(
            rcll(head.forward(u), imageLabels, { alpha }),
            rcll(head.forward(v), pointLabels, { alpha }),
          );
          const alike = contrastive(concat([u, v], 0), { tau });
          const { weight_rcll: weightRcll, weight_mlm: weightMlm } = fixture.attrs;
          return add(scale(robust, weightRcll), scale(alike, weightMlm)).keep();
        });
        tape.backward();
        sgd.step();
        losses.push((await (tape.loss as Tensor).readFloats())[0]);
        tape.loss?.dispose();
      }
      assertClose('losses', losses, expected, fixture);
    } finally {
      sgd.dispose();
      for (const [module] of names) module.dispose();
    }
  },
};

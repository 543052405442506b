/** Fixtures of whole encoders, whose weights are hashes of their names. */
import * as assert from 'uvu/assert';
import { Dgcnn } from '../../src/model/dgcnn.ts';
import type { Module } from '../../src/model/module.ts';
import { PointNet } from '../../src/model/pointnet.ts';
import { ResNet } from '../../src/model/resnet.ts';
import type { Gpu } from '../../src/tensor/device.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { forwardBackward } from '../support/backward.ts';
import { assertClose } from '../support/close.ts';
import { channelsLast, type Fixture, hashWeights } from '../support/fixture.ts';
import type { Handler } from './ops.ts';

/** The weights are replaced by hashes, so how they were drawn does not matter. */
export const INIT = { seed: 0, path: 'parity' };

/** Fills a module with the weights of the fixture's network; `nameOf` maps our names to PyTorch's. */
export async function loadHashes(module: Module, nameOf: (name: string) => string = (name) => name): Promise<void> {
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
    const { data, shape } = channelsLast(fixture.input('in.x').data, fixture.input('in.x').shape);
    const x = gpu.tensor(data, shape);
    // Evaluation first: it needs the running statistics from before training.
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

export const models: Readonly<Record<string, Handler>> = {
  resnet18(gpu, fixture) {
    const options = { inChannels: 3, outChannels: fixture.attrs.out_dim, depth: 18 } as const;
    return checkEncoder(gpu, fixture, new ResNet(gpu, options, INIT));
  },

  resnet(gpu, fixture) {
    const { depth, out_dim: outChannels } = fixture.attrs;
    return checkEncoder(gpu, fixture, new ResNet(gpu, { inChannels: 3, outChannels, depth }, INIT));
  },

  pointnet(gpu, fixture) {
    return checkEncoder(gpu, fixture, new PointNet(gpu, { outChannels: fixture.attrs.out_dim }, INIT));
  },

  dgcnn(gpu, fixture) {
    const { out_dim: outChannels, k } = fixture.attrs;
    return checkEncoder(gpu, fixture, new Dgcnn(gpu, { outChannels, k }, INIT));
  },
};

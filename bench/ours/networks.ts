/** The training steps and the encoders, with weights hashed from their names. */
import { softmaxCrossEntropy } from '../../src/autograd/losses.ts';
import { Dgcnn } from '../../src/model/dgcnn.ts';
import { Linear } from '../../src/model/layers.ts';
import type { Module } from '../../src/model/module.ts';
import { ResNet } from '../../src/model/resnet.ts';
import { Sgd } from '../../src/model/sgd.ts';
import type { Gpu } from '../../src/tensor/device.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { digest } from '../check.mjs';
import { hashLabels, hashUniform, hashWeights } from '../inputs.mjs';
import { gradientsOf, type Spec, type Step } from './step.ts';

const INIT = { seed: 0, path: 'bench' };

async function loadHashes(module: Module, prefix = ''): Promise<void> {
  const state = await module.stateDict();
  const parameters = module.parameters();
  for (const [name, { shape }] of Object.entries(state)) {
    // In the peers' list a 1x1 convolution is a matrix; its hash is the same.
    if (parameters.has(name)) state[name] = { shape, data: hashWeights(prefix + name, [...shape]) };
  }
  module.loadStateDict(state);
}

export async function networkStep(gpu: Gpu, spec: Spec): Promise<Step> {
  const { batch, embedding, classes, learningRate, momentum } = spec;
  const images = spec.network === 'resnet18';
  const shape = images ? [batch, spec.size, spec.size, 3] : [batch, spec.points, 3];
  const x = gpu.tensor(hashUniform('x', shape), shape);
  const encoder = images
    ? new ResNet(gpu, { inChannels: 3, outChannels: embedding, depth: 18 }, INIT)
    : new Dgcnn(gpu, { outChannels: embedding, k: spec.k }, INIT);
  await loadHashes(encoder);
  if (spec.kind === 'encode') {
    encoder.setTraining(false);
    return {
      queue() {
        const output = encoder.forward(x);
        return { result: output, outputs: { output } };
      },
      check: async ({ output }) => ({ values: { output: digest(await output.readFloats()) } }),
    };
  }
  const classifier = new Linear(gpu, embedding, classes, INIT);
  await loadHashes(classifier, 'classifier.');
  const labels = gpu.tensor(hashLabels('labels', batch, classes), [batch]);
  const parameters = new Map<string, Tensor>();
  for (const [name, tensor] of encoder.parameters()) parameters.set(name, tensor);
  for (const [name, tensor] of classifier.parameters()) parameters.set(`classifier.${name}`, tensor);
  const optimiser = new Sgd(gpu, parameters, { learningRate, momentum });
  return {
    queue() {
      const { output } = gradientsOf(
        gpu,
        () => softmaxCrossEntropy(classifier.forward(encoder.forward(x)), labels),
        {},
      );
      optimiser.step();
      return { result: output, outputs: {} };
    },
    check: async (_outputs, losses) => ({ losses: losses.slice(0, 3) }),
  };
}

/**
 * Fixtures of weights with other projects' names: they are loaded by name, and the encoder computes what PyTorch does.
 */
import * as assert from 'uvu/assert';
import { type ConvertedWeights, convertWeights } from '../../src/model/convert.ts';
import { Dgcnn } from '../../src/model/dgcnn.ts';
import type { Floats, Module, StateDict } from '../../src/model/module.ts';
import { ResNet } from '../../src/model/resnet.ts';
import type { Gpu } from '../../src/tensor/device.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { assertClose } from '../support/close.ts';
import { channelsLast, type Fixture } from '../support/fixture.ts';
import { INIT } from './models.ts';
import type { Handler } from './ops.ts';

const EPSILON = 1e-5; // of batch norm; its running variance is 1 in a new head

/** [rows, columns], ones on the diagonal: a linear layer that passes its first inputs through. */
function identity(rows: number, columns: number): Floats {
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) data[i * columns + i] = 1;
  return { shape: [rows, columns], data };
}

/** The encoder of the converted network, with a head that passes the pooled features through. */
function encoderOf(gpu: Gpu, { network, head }: ConvertedWeights, k: number, pooled: number) {
  const encoder =
    network.kind === 'resnet'
      ? new ResNet(gpu, { inChannels: 3, outChannels: pooled, depth: network.depth as 18, width: network.width }, INIT)
      : new Dgcnn(gpu, { outChannels: network.outChannels, widths: network.widths, k }, INIT);
  const plain: StateDict =
    network.kind === 'resnet'
      ? { 'fc.weight': identity(pooled, pooled), 'fc.bias': { shape: [pooled], data: new Float32Array(pooled) } }
      : { 'linear1.weight': identity(pooled, 2 * pooled) };
  return { encoder: encoder as Module & { forward(x: Tensor): Tensor }, plain, head };
}

/** Pooled features after the head's batch norm and activation. */
function behindHead(pooled: Float32Array, slope: number): Float32Array {
  return pooled.map((value) => (value > 0 ? value : slope * value) / Math.sqrt(1 + EPSILON));
}

export const convert: Readonly<Record<string, Handler>> = {
  async convert(gpu: Gpu, fixture: Fixture) {
    const weights: Record<string, Floats> = {};
    for (const name of fixture.names) {
      if (name.startsWith('weights.')) weights[name.slice('weights.'.length)] = fixture.get(name) as Floats;
    }
    const converted = convertWeights(weights, fixture.name);
    assert.is(converted.network.kind, fixture.attrs.network);
    if (converted.network.kind === 'resnet') assert.is(converted.network.depth, fixture.attrs.depth);
    const expected = fixture.floats('out.pooled');
    const { encoder, plain, head } = encoderOf(gpu, converted, fixture.attrs.k, fixture.get('out.pooled').shape[1]);
    try {
      encoder.loadStateDict(converted.state, fixture.name, head);
      encoder.loadStateDict({ ...converted.state, ...plain }, fixture.name, head);
      encoder.setTraining(false);
      const input = fixture.input('in.x');
      const { data, shape } = channelsLast(input.data, input.shape);
      const features = await encoder.forward(gpu.tensor(data, shape)).readFloats();
      const slope = converted.network.kind === 'resnet' ? 0 : 0.01;
      assertClose('pooled features', features, behindHead(expected, slope), fixture);
      const { [Object.keys(converted.state)[3]]: _, ...incomplete } = converted.state;
      assert.throws(() => encoder.loadStateDict(incomplete, 'cut', head), /cut does not fit.*missing: /);
    } finally {
      encoder.dispose();
    }
  },
};

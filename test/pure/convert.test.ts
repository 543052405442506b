/** Renaming pretrained weights: known names, ignored ones, rejected ones. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readWeights } from '../../src/commands/weights.ts';
import { encodeSafetensors } from '../../src/files/safetensors.ts';
import { convertWeights } from '../../src/model/convert.ts';

const test = suite('convert');
const floats = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });

test('names of no known network, and known networks of unknown form', () => {
  const refused = (tensors: Parameters<typeof convertWeights>[0]) => () => convertWeights(tensors, 'my.safetensors');
  assert.throws(
    refused({ 'encoder.weight': floats(2) }),
    /my\.safetensors: its keys match neither ResNet.*encoder\.weight/,
  );
  assert.throws(refused({}), /its keys match neither ResNet/);
  const block = { 'layer1.0.conv1.weight': floats(4, 4, 3, 3) };
  assert.throws(refused({ ...block, 'conv1.weight': floats(4, 3, 3, 3) }), /stem/);
  assert.throws(refused({ ...block, 'conv1.weight': floats(4, 3, 7, 7) }), /basic blocks 1,0,0,0/);
});

test("a DGCNN's classifier and second names are left out", () => {
  const { network, state, leftOut } = convertWeights(
    {
      'module.conv1.0.weight': floats(8, 6, 1, 1),
      'module.conv1.1.weight': floats(8),
      'module.bn1.weight': floats(8),
      'module.conv2.0.weight': floats(16, 8, 1),
      'module.bn2.weight': floats(16),
      'module.linear1.weight': floats(4, 32),
    },
    'weights',
  );
  assert.equal(network, { kind: 'dgcnn', widths: [8], outChannels: 16 });
  assert.equal(Object.keys(state), ['conv1.0.weight', 'conv1.1.weight', 'conv2.0.weight', 'conv2.1.weight']);
  assert.equal(leftOut, ['bn1.weight', 'linear1.weight']);
});

/** The names of a small ResNet-18, with a classifier. */
function resnet18(prefix: string): Record<string, ReturnType<typeof floats>> {
  const tensors = {
    'conv1.weight': floats(4, 3, 7, 7),
    'bn1.weight': floats(4),
    'bn1.num_batches_tracked': floats(1),
    'fc.0.weight': floats(2, 4),
  };
  const named: Record<string, ReturnType<typeof floats>> = {};
  for (const [name, tensor] of Object.entries(tensors)) named[prefix + name] = tensor;
  for (let i = 0; i < 8; i++) named[`${prefix}layer${1 + (i >> 1)}.${i % 2}.conv1.weight`] = floats(4, 4, 3, 3);
  return named;
}

test('a network inside a larger one: the prefix is taken off, tensors outside are left out', () => {
  const expected = Object.keys(convertWeights(resnet18(''), 'a').state);
  assert.is(expected.length, 10);
  for (const [prefix, others] of [
    ['', ['projector.0.weight']],
    ['module.', []],
    ['module.encoder.', ['module.predictor.0.weight']],
    ['model.backbone.', ['model.head.weight', 'epoch']],
    ['_orig_mod.', []],
  ] as const) {
    const outside = Object.fromEntries(others.map((name) => [name, floats(2)]));
    const { network, state, leftOut } = convertWeights({ ...outside, ...resnet18(prefix) }, 'a');
    assert.equal(network, { kind: 'resnet', depth: 18, width: 4 });
    assert.equal(Object.keys(state), expected, prefix);
    assert.equal(leftOut.sort(), ['bn1.num_batches_tracked', 'fc.0.weight', ...others].sort());
  }
});

test('of two copies of a network the trained one is taken; of two networks, none', () => {
  for (const [trained, copy] of [
    ['module.encoder_q.', 'module.encoder_k.'],
    ['online.', 'target.'],
    ['module.base_encoder.', 'module.momentum_encoder.'],
    ['student.backbone.', 'teacher.backbone.'],
  ]) {
    const own = resnet18(trained);
    own[`${trained}bn1.weight`].data[0] = 7;
    const { state } = convertWeights({ ...resnet18(copy), ...own, 'module.queue': floats(8) }, 'a');
    assert.is(state['bn1.weight'].data[0], 7, trained);
  }
  assert.throws(
    () => convertWeights({ ...resnet18('left.'), ...resnet18('right.') }, 'a'),
    /a: it holds several networks: left\.\*, right\.\*/,
  );
});

test('a file with a tensor that is not finite is refused, naming the tensor', () => {
  const folder = mkdtempSync(join(tmpdir(), 'romo-weights-'));
  const file = join(folder, 'a.safetensors');
  const write = (change: (tensors: ReturnType<typeof resnet18>) => void) => {
    const tensors = resnet18('module.');
    change(tensors);
    const entries = Object.entries(tensors).map(([name, tensor]) => [name, { ...tensor, dtype: 'f32' }] as const);
    writeFileSync(file, encodeSafetensors(Object.fromEntries(entries)));
  };
  try {
    for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      write((tensors) => tensors['module.layer2.1.conv1.weight'].data.set([value], 5));
      assert.throws(
        () => readWeights(file),
        new RegExp(`a\\.safetensors: the tensor layer2\\.1\\.conv1\\.weight holds ${value}, at position 5`),
      );
    }
    write((tensors) => tensors['module.fc.0.weight'].data.set([Number.NaN], 0)); // not used
    assert.is(Object.keys(readWeights(file).weights.state).length, 10);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();

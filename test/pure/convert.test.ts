/** Renaming pretrained weights: known names, ignored ones, rejected ones. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
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

test.run();

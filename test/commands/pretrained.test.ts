/** Encoders that start from pretrained weights: files with the names of torchvision and the official DGCNN. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { readWeights, usePretrained } from '../../src/commands/weights.ts';
import { encodeSafetensors, type SafetensorEntry } from '../../src/files/safetensors.ts';
import { type Config, PRESETS } from '../../src/romo/config.ts';
import { Encoders } from '../../src/romo/encoders.ts';
import { assertClose } from '../support/close.ts';
import { linesOf, runCommand, succeed } from '../support/commands.ts';
import { readFixture } from '../support/fixture.ts';
import { gpuSuite } from '../support/gpu.ts';
import { argument } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('pretrained weights');
const folder = mkdtempSync(join(tmpdir(), 'romo-weights-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** The weights that PyTorch wrote into a fixture, as a file of their own. */
function weightsFile(fixture: string): string {
  const { names, get } = readFixture(`test/fixtures/${fixture}.safetensors`);
  const own = names.filter((name) => name.startsWith('weights.'));
  const entries = own.map((name): [string, SafetensorEntry] => [name.slice('weights.'.length), get(name)]);
  const path = join(folder, `${fixture}.safetensors`);
  writeFileSync(path, encodeSafetensors(Object.fromEntries(entries)));
  return path;
}

const resnet = weightsFile('convert_resnet18');
const dgcnn = weightsFile('convert_dgcnn');

function configFor(): Config {
  const image = readWeights(resnet).weights.network;
  const points = readWeights(dgcnn).weights.network;
  if (image.kind !== 'resnet' || points.kind !== 'dgcnn') throw new Error('the fixtures are of other networks');
  return {
    ...structuredClone(PRESETS.tiny),
    resnet: image.depth as 18,
    resnetWidth: image.width,
    pointWidths: points.widths,
    imageNormalization: 'imagenet',
  };
}

test('weights take their places, the head stays; the last convolution only where the embedding is as wide', async () => {
  const config = configFor();
  const points = readWeights(dgcnn);
  const { network } = points.weights;
  const width = network.kind === 'dgcnn' ? network.outChannels : 0;
  const last = `points.conv${config.pointWidths.length + 1}.`;
  for (const dimension of [width, width + 3]) {
    const encoders = new Encoders(gpu(), config, { ...config.ssm, dimension }, 3, { seed: 1, path: 'x' });
    const before = await encoders.stateDict();
    encoders.loadPretrained({ image: readWeights(resnet), cloud: points });
    const after = await encoders.stateDict();
    for (const [name, { data }] of Object.entries(after)) {
      const given = { ...prefixed('image.', readWeights(resnet)), ...prefixed('points.', points) }[name]?.data;
      const isLast = name.startsWith(last);
      const expected = given && !(isLast && dimension !== width) ? given : before[name].data;
      assert.equal([...data], [...expected], name);
      if (/\.(fc|bn_fc|linear1|bn1)\./.test(name) && !given) assert.equal([...data], [...before[name].data], name);
    }
    encoders.dispose();
  }
});

const prefixed = (prefix: string, { weights }: ReturnType<typeof readWeights>) =>
  Object.fromEntries(Object.entries(weights.state).map(([name, floats]) => [prefix + name, floats]));

test("images are normalised by ImageNet's statistics inside of the encoders", async () => {
  const config = configFor();
  const init = { seed: 1, path: 'x' };
  const normalizing = new Encoders(gpu(), config, config.ssm, 3, init);
  const plain = new Encoders(gpu(), { ...config, imageNormalization: undefined }, config.ssm, 3, init);
  const shape = [2, 24, 24, 3];
  const { data } = argument('pictures', shape, 0, 1);
  const [mean, deviation] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ];
  const normalized = data.map((value, i) => (value - mean[i % 3]) / deviation[i % 3]);
  for (const encoders of [normalizing, plain]) encoders.setTraining(false);
  assertClose(
    'embedding',
    await normalizing.embedImages(gpu().tensor(data, shape)).readFloats(),
    await plain.embedImages(gpu().tensor(normalized, shape)).readFloats(),
    { rtol: 1e-4, atol: 1e-5 },
  );
  normalizing.dispose();
  plain.dispose();
});

async function train(name: string, ...words: string[]) {
  const fast =
    '--preset tiny --train 10 --test 4 --batch 2 --clusters 2 --epochs-ssm 1 --epochs-rdl 1 --quiet --image-size 32';
  const { code, errors } = await runCommand('train', ...fast.split(' '), '--out', join(folder, name), ...words);
  return { code, errors: linesOf(errors) };
}

test('a run with both: sizes follow the files, and result.json says what was used', async () => {
  const { code, errors } = await train(
    'run',
    '--image-weights',
    resnet,
    '--point-weights',
    dgcnn,
    '--rdl-from',
    'fresh',
  );
  assert.is(code, 0, errors.join('\n'));
  const json = (file: string) => JSON.parse(readFileSync(join(folder, 'run', file), 'utf8'));
  const config = json('config.json');
  assert.equal([config.resnet, config.imageNormalization, config.set.channels], [18, 'imagenet', 3]);
  const { pretrained } = json('result.json');
  assert.is(pretrained.image.file, resnet);
  assert.match(pretrained.points.sha256, /^[0-9a-f]{64}$/);
  assert.is(pretrained.points.network.kind, 'dgcnn');
  assert.match(pretrained.labelFree, /only if these weights were trained without labels/);
  const evaluated = await succeed('evaluate', join(folder, 'run'), '--json');
  assert.equal(JSON.parse(evaluated.out).stages, json('result.json').stages);
});

test('a run resumes only with the same weights', () => {
  const own = join(folder, 'own.safetensors');
  cpSync(resnet, own);
  const config: Config = { ...configFor(), weights: { image: own } };
  assert.is(usePretrained(config)?.record.labelFree.slice(0, 4), 'only');
  const again = structuredClone(config);
  usePretrained(again);
  assert.equal(again, config);
  const bytes = readFileSync(own);
  bytes[bytes.length - 1] ^= 1;
  writeFileSync(own, bytes);
  assert.throws(() => usePretrained(again), /own\.safetensors is not the file that the run started with/);
});

for (const [words, expected] of [
  [['--image-weights', dgcnn], /--image-weights: .*holds a DGCNN.*ResNet/],
  [['--point-weights', resnet], /--point-weights: .*holds a ResNet.*DGCNN/],
  [['--image-weights', resnet, '--resnet', '50'], /needs resnet 18, not 50/],
  [['--image-weights', resnet, '--image-channels', '1'], /takes 3 channels/],
  [['--point-weights', dgcnn, '--point-encoder', 'pointnet'], /needs pointEncoder dgcnn/],
  [['--image-weights', 'resnet18.pth'], /pickle.*tools\/pth_to_safetensors\.py/],
  [['--image-weights', 'no/such.safetensors'], /cannot read no\/such\.safetensors/],
] as const) {
  test(`train ${words.map((word) => word.replace(folder, '')).join(' ')} is one clear line`, async () => {
    const { code, errors } = await train('refused', ...words);
    assert.is(code, 2);
    assert.is(errors.length, 1, errors.join('\n'));
    assert.match(errors[0], expected);
    assert.not.ok(existsSync(join(folder, 'refused')));
  });
}

test.run();

/** The commands on data sets of files: train and evaluate each, without labels too; what is bad; --inspect. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('data sets by command');
const folder = mkdtempSync(join(tmpdir(), 'romo-sets-'));
const FAST =
  '--preset tiny --batch 2 --clusters 2 --epochs-ssm 1 --epochs-rdl 1 --points 32 --image-size 16 --quiet --cache-dir none';

function command(name: string, ...words: string[]) {
  const result = spawnSync(process.execPath, [`dist/${name}.js`, ...words], { encoding: 'utf8', timeout: 120_000 });
  const errors = result.stderr.split('\n').filter((line) => line && !line.startsWith('Warning: max'));
  return { code: result.status, out: result.stdout, errors };
}

const train = (name: string, ...words: string[]) =>
  command('train', ...FAST.split(' '), '--out', join(folder, name), ...words);
const json = (name: string, file: string) => JSON.parse(readFileSync(join(folder, name, file), 'utf8'));

test.after(() => rmSync(folder, { recursive: true, force: true }));

for (const [spec, ...words] of [
  ['mnist3d:test/sets/mnist_lists'],
  ['modelnet:test/sets/modelnet', '--views', '2', '--workers', '0'],
  ['voxels:test/sets/voxels', '--on-bad', 'skip'],
  ['rgbd:test/sets/rgbd', '--every', '2', '--held-out', '2', '--image-channels', '1'],
]) {
  const name = spec.replace(/\W/g, '-');
  test(`train and evaluate ${spec} ${words.join(' ')}`, () => {
    const { code, errors } = train(name, '--data', spec, ...words);
    assert.is(code, 0, errors.join('\n'));
    const again = command('evaluate', join(folder, name), '--json', '--cache-dir', 'none');
    assert.is(again.code, 0, again.errors.join('\n'));
    assert.equal(JSON.parse(again.out).stages, json(name, 'result.json').stages);
    assert.is(existsSync(join(folder, name, 'skipped.json')), words.includes('skip'));
  });
}

test('a run says how many objects were skipped, and lists them', () => {
  const skipped = json('voxels-test-sets-voxels', 'skipped.json');
  assert.is(skipped.length, 1);
  assert.match(skipped[0].reason, /row 1 has 6 occupied cells/);
  const { train: count, test: held } = json('voxels-test-sets-voxels', 'config.json');
  assert.equal([count, held], [5, 3]);
});

test('without labels: trains, and tells how well partners are found', () => {
  const own = join(folder, 'own');
  cpSync('test/sets/folder/box', own, { recursive: true });
  const { code, out, errors } = train('unlabelled', '--data', `folder:${own}`, '--test', '2');
  assert.is(code, 0, errors.join('\n'));
  assert.match(out, /partner found image -> 3D/);
  assert.match(out, /No labels: mAP and cluster accuracy are left out/);
  const result = json('unlabelled', 'result.json');
  assert.is(result.pseudoLabelAccuracy, null);
  for (const stage of ['untrained', 'kmeans', 'ssm', 'rdl']) {
    const { imageToPoints, clusterAccuracy, hit } = result.stages[stage];
    assert.ok(imageToPoints >= 0.5 && imageToPoints <= 1); // of two, the partner is the first or the second
    assert.equal([clusterAccuracy, hit], [null, 'partner']);
  }
  const again = command('evaluate', join(folder, 'unlabelled'), '--json');
  assert.equal(JSON.parse(again.out).stages, result.stages, again.errors.join('\n'));
});

test('a bad file ends the run before it begins, in one line, and leaves no folder', () => {
  const own = join(folder, 'spoilt');
  cpSync('test/sets/folder', own, { recursive: true });
  writeFileSync(join(own, 'box', 'box_1.obj'), 'v 0 0 nan\n');
  const refused = train('refused', '--data', `folder:${own}`);
  assert.is(refused.code, 2);
  assert.is(refused.errors.length, 1, refused.errors.join('\n'));
  assert.match(refused.errors[0], /box_1\.obj.*--on-bad skip/);
  assert.not.ok(existsSync(join(folder, 'refused')));
});

test('--inspect: counts, classes, sizes, what is bad, and a picture of pairs; nothing is trained', async () => {
  const own = join(folder, 'spoilt');
  const { code, out, errors } = train('inspected', '--data', `folder:${own}`, '--inspect');
  assert.is(code, 0, errors.join('\n'));
  assert.match(out, /7 pairs to train on, 2 held out/);
  assert.match(out, /found \d and \d in all; 1 other files/);
  assert.match(out, /2 classes.*box.*plank/);
  assert.match(out, /picture, width.*20.*20.*20/);
  assert.match(out, /bad objects: 1\n.*box_1\.obj/);
  const { width, height } = await sharp(join(folder, 'inspected', 'contact-sheet.png')).metadata();
  assert.equal([width, height], [1008, 2 * 104 + 8]);
  assert.is(json('inspected', 'skipped.json').length, 1);
  assert.not.ok(existsSync(join(folder, 'inspected', 'config.json')));
});

test.run();

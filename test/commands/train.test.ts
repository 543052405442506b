/** The commands as a user runs them: train and evaluate on the tiny preset. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CommandName, linesOf, runCommand } from '../support/commands.ts';

const test = suite('train and evaluate');
const folder = mkdtempSync(join(tmpdir(), 'romo-train-'));
const FAST = '--preset tiny --train 20 --test 20 --batch 10 --clusters 4 --epochs-ssm 1 --epochs-rdl 1 --quiet'.split(
  ' ',
);

/** Runs a command; its errors by line. */
async function command(name: CommandName, ...words: string[]) {
  const { code, out, errors } = await runCommand(name, ...words);
  return { code, out, errors: linesOf(errors) };
}

const train = (name: string, ...words: string[]) => command('train', ...FAST, '--out', join(folder, name), ...words);
const file = (name: string, path: string) => readFileSync(join(folder, name, path));

test.after(() => rmSync(folder, { recursive: true, force: true }));

test('--backend chooses the kernels, and an unknown one is refused', async () => {
  assert.is((await train('definitions', '--backend', 'reference')).code, 0);
  assert.is((await train('default')).code, 0);
  const figures = (name: string) => JSON.parse(file(name, 'result.json').toString()).stages.rdl.imageToPoints;
  assert.ok(Math.abs(figures('definitions') - figures('default')) < 0.2);
  assert.ok(
    !file('definitions', 'model.safetensors').equals(file('default', 'model.safetensors')),
    'other kernels ran',
  );
  const { code, errors } = await train('unknown', '--backend', 'cuda');
  assert.is(code, 2);
  assert.match(errors.join('\n'), /cuda.*Allowed choices are reference, gpu, software, software-plain/s);
});

test('train writes its folder and evaluate computes the same figures from it', async () => {
  const { code, out, errors } = await train('first');
  assert.is(code, 0, errors.join('\n'));
  assert.match(out, /after rdl/);
  const result = JSON.parse(file('first', 'result.json').toString());
  assert.type(result.adapter, 'string');
  for (const stage of ['untrained', 'kmeans', 'ssm', 'rdl']) {
    for (const figure of ['imageToPoints', 'pointsToImage', 'clusterAccuracy']) {
      const value = result.stages[stage][figure];
      assert.ok(value >= 0 && value <= 1, `${stage}.${figure} is ${value}`);
    }
  }
  assert.ok(result.seconds.ssm > 0 && result.seconds.rdl > 0);
  assert.is(file('first', 'pseudo-labels.csv').toString().trim().split('\n').length, 1 + 20);
  assert.is(JSON.parse(file('first', 'config.json').toString()).clusters, 4);
  const metrics = file('first', 'metrics.jsonl')
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.ok(metrics.filter(({ loss }) => loss !== undefined).every(({ loss }) => Number.isFinite(loss)));
  const page = join(folder, 'report.html');
  const again = await command('evaluate', join(folder, 'first'), '--json', '--report', page);
  assert.is(again.code, 0, again.errors.join('\n'));
  const { stages, retrieval } = JSON.parse(again.out);
  assert.equal(stages, result.stages);
  assert.is(retrieval.imageToPoints.meanAveragePrecision, stages.rdl.imageToPoints);
  assert.match(readFileSync(page, 'utf8'), /^<!doctype html>.*Losses of rdl.*Cluster 1: /s);
});

test('the same seed gives the same bytes, another seed others', async () => {
  assert.is((await train('second')).code, 0);
  assert.ok(file('first', 'model.safetensors').equals(file('second', 'model.safetensors')));
  assert.ok(file('first', 'pseudo-labels.csv').equals(file('second', 'pseudo-labels.csv')));
  assert.is((await train('third', '--seed', '2')).code, 0);
  assert.not.ok(file('first', 'model.safetensors').equals(file('third', 'model.safetensors')));
});

test('a folder that holds a run is refused and stays as it is', async () => {
  const before = file('second', 'model.safetensors');
  const { code, errors } = await train('second');
  assert.is(code, 2);
  assert.is(errors.length, 1);
  assert.match(errors[0], /holds another run.*--overwrite/);
  assert.ok(before.equals(file('second', 'model.safetensors')));
});

for (const words of [
  ['--ssm-target', 'memory', '--augment', 'mild'],
  ['--ssm-target', 'soft', '--pseudo-labels', 'heads'],
  ['--ssm-target', 'balanced', '--heads', 'separate'],
  ['--rdl-from', 'fresh', '--dimension-rdl', '16', '--point-encoder', 'pointnet', '--point-widths', '8,16'],
]) {
  test(`train ${words.join(' ')}`, async () => {
    const { code, errors } = await train(words.join('').replaceAll(/\W/g, ''), ...words);
    assert.is(code, 0, errors.join('\n'));
  });
}

test('a damaged model is one clear line', async () => {
  const path = join(folder, 'third', 'model.safetensors');
  writeFileSync(path, readFileSync(path).subarray(0, 5000));
  const { code, errors } = await command('evaluate', join(folder, 'third'));
  assert.is(code, 2);
  assert.is(errors.length, 1);
  assert.match(errors[0], /model\.safetensors/);
});

for (const [words, expected] of [
  [['--nonsense'], /unknown option.*--nonsense/],
  [['--batch', '5000'], /batch of 5000 is larger than the 20/],
  [['--clusters', '50'], /50 clusters/],
  [['--k-ssm', '999', '--k-rdl', '999'], /999/],
  [['--epochs-ssm', 'many'], /whole number/],
  [['--data', 'nonsense'], /nonsense/],
  [['--data', 'mnist3d:/no/such/folder'], /\/no\/such\/folder/],
] as const) {
  test(`train ${words.join(' ')} is one clear line`, async () => {
    const { code, errors } = await train('refused', ...words);
    assert.is(code, 2);
    assert.is(errors.length, 1, errors.join('\n'));
    assert.match(errors[0], expected);
    assert.not.ok(existsSync(join(folder, 'refused')));
  });
}

test('convert: by name, and one clear line for a pickle or a missing file', async () => {
  const [out, unwritten] = ['converted', 'unwritten'].map((name) => join(folder, `${name}.safetensors`));
  const { code, out: printed } = await command('convert', 'test/fixtures/convert_dgcnn.safetensors', '--out', out);
  assert.is(code, 0, printed); // the prefix `weights.` of its names is taken off
  for (const [path, expected] of [
    ['model.pth', /pickle.*pth_to_safetensors/],
    ['missing.safetensors', /missing\.safetensors/],
  ] as const) {
    const refused = await command('convert', path, '--out', unwritten);
    assert.is(refused.code, 2);
    assert.is(refused.errors.length, 1);
    assert.match(refused.errors[0], expected);
  }
  assert.not.ok(existsSync(unwritten));
});

test('output that nobody reads, as after `| head`, is no error', () => {
  const { stderr } = spawnSync('sh', ['-c', 'node dist/train.js --help | true'], { encoding: 'utf8' });
  assert.is(stderr, '');
});

for (const name of ['train', 'evaluate', 'compare', 'doctor', 'convert', 'search']) {
  test(`${name} --help`, () => {
    const { status, stdout } = spawnSync(process.execPath, [`dist/${name}.js`, '--help'], { encoding: 'utf8' });
    assert.is(status, 0);
    assert.match(stdout, /--help/);
  });
}

test.run();

/** `node dist/compare.js` as a user runs it: its outputs, stopping and resuming, and what it refuses. */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compareCommand, listOfMethods, readCompareOptions } from '../../src/commands/compare_options.ts';
import { compare as compareInProcess } from '../../src/commands/comparing.ts';
import type { Outcome } from '../../src/compare/comparison.ts';
import { METHODS } from '../../src/compare/list.ts';
import { linesOf, runCommand } from '../support/commands.ts';

const test = suite('compare');
const folder = mkdtempSync(join(tmpdir(), 'romo-compare-'));
const place = (name: string) => join(folder, name);
const TINY = '--preset tiny --train 20 --test 20 --batch 10 --clusters 4 --epochs-ssm 1 --epochs-rdl 1'.split(' ');
const NAMES = ['pls-features', 'nt-xent', 'cross-entropy', 'romo-paper', 'supervised-oracle'];
const words = (out: string) => [...TINY, '--methods', NAMES.join(','), '--seeds', '2', '--out', place(out)];

async function compare(...given: string[]) {
  const { code, out, errors } = await runCommand('compare', ...given);
  return { code, out, errors: linesOf(errors) };
}

const textOf = (out: string, file: string) => readFileSync(join(place(out), file), 'utf8');
const outcomesIn = (out: string): Outcome[] =>
  textOf(out, 'outcomes.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
/** What must be the same however often a comparison was stopped. */
const figuresIn = (out: string) => outcomesIn(out).map(({ method, seed, figures }) => ({ method, seed, figures }));

test.after(() => rmSync(folder, { recursive: true, force: true }));

test('a comparison ends with a table, JSON, CSV and a page; each says which method reads labels', async () => {
  const { code, out, errors } = await compare(...words('whole'));
  assert.is(code, 0, errors.join('\n'));
  assert.match(errors.join('\n'), /seed 1, 2 of 5: nt-xent.*training epoch 1\/2 {2}loss [\d.]+ {2}/s); // progress
  for (const name of NAMES) assert.match(out, new RegExp(`  ${name}`));
  assert.match(out, /supervised-oracle \(reads labels\)/);
  assert.match(out, /mean over 2 seeds/);
  const { methods, seeds, config } = JSON.parse(textOf('whole', 'compare.json'));
  assert.equal([seeds, config.train, methods.length], [2, 20, 5]);
  for (const { name, readsLabels, figures, failed } of methods) {
    assert.is(readsLabels, name === 'supervised-oracle');
    assert.is(failed, 0);
    const own = outcomesIn('whole').filter(({ method }) => method === name);
    const values = own.map((outcome) => outcome.figures?.imageToPoints ?? Number.NaN);
    assert.ok(Math.abs(figures.imageToPoints.mean - (values[0] + values[1]) / 2) < 1e-12);
    assert.equal(
      [figures.imageToPoints.lowest, figures.imageToPoints.highest],
      values.sort((a, b) => a - b),
    );
  }
  const [head, ...lines] = textOf('whole', 'compare.csv').trim().split('\n');
  assert.match(head, /^method,kind,reads_labels,seed,map_image_to_3d,/);
  assert.is(lines.length, 10);
  assert.ok(lines.every((line) => line.includes(line.startsWith('supervised') ? ',yes,' : ',no,')));
  const page = textOf('whole', 'compare.html');
  assert.match(page, /^<!doctype html>.*<svg.*supervised-oracle \(reads labels\)/s);
  assert.match(page, /supervised-oracle reads the labels of the training objects; all other methods see pairs only/);
  assert.not.match(page, /NaN|undefined/);
});

test('Ctrl-C: what is finished is not done again, the rest has the same figures, and a method may be added', async () => {
  const child = spawn(process.execPath, ['dist/compare.js', ...words('cut')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  while (child.exitCode === null && !/cross-entropy/.test(output)) await wait(5);
  child.kill('SIGINT');
  assert.is(await ended, 130, output);
  assert.match(output, /stopped\. Continue with: node dist\/compare\.js --resume /);
  const done = outcomesIn('cut');
  assert.ok(done.length >= 2 && done.length < 5, `${done.length} done`);
  appendFileSync(join(place('cut'), 'outcomes.jsonl'), '{"method":"cross-en'); // as if killed while it was written
  const more = [...NAMES.filter((name) => name !== 'romo-paper'), 'untrained'];
  const { code, out, errors } = await compare('--resume', place('cut'), '--methods', more.join(','));
  assert.is(code, 0, errors.join('\n'));
  assert.match(errors[0], /last line of .* is incomplete/);
  assert.equal(outcomesIn('cut').slice(0, done.length), done);
  const isShared = ({ method }: { method: string }) => method !== 'untrained' && method !== 'romo-paper';
  assert.equal(figuresIn('cut').filter(isShared), figuresIn('whole').filter(isShared));
  assert.is(outcomesIn('cut').filter(({ method }) => method === 'untrained').length, 2);
  assert.not.match(out, /romo-paper/);
});

/** What the command says to words that it refuses. */
async function refusal(given: readonly string[]): Promise<string> {
  const { code, errors } = await runCommand('compare', ...given);
  assert.is(code, 2, errors);
  return errors;
}

test('another configuration is refused by name, and nothing changes', async () => {
  const before = textOf('whole', 'outcomes.jsonl');
  for (const [given, expected] of [
    [['--resume', place('whole'), '--epochs-ssm', '4'], /--epochs-ssm 4 contradicts --resume: the run has 1/],
    [['--resume', place('whole'), '--data', 'folder:x'], /--data "folder:x" contradicts --resume/],
    [['--resume', place('nowhere')], /nowhere holds no comparison/],
    [words('whole'), /whole holds another comparison.*--overwrite.*--resume/],
    [[...words('new'), '--methods', 'nt-xent,magic'], /no method 'magic'.*nt-xent/],
    [[...words('new'), '--seeds', '0'], /whole number/],
    [[...words('new'), '--recipe', 'robust'], /unknown option '--recipe'/],
    [[...words('new'), '--data', 'mnist3d:/no/such'], /\/no\/such/],
  ] as const) {
    assert.match(await refusal(given), expected);
  }
  assert.is(textOf('whole', 'outcomes.jsonl'), before);
  assert.not.ok(existsSync(place('new')));
});

test('a method that reads labels is refused on data without any, before anything is trained', async () => {
  const command = compareCommand().parse(words('unlabelled'), { from: 'user' });
  const options = readCompareOptions(command);
  const openData: typeof options.openData = async (config) => {
    const { data, ...rest } = await options.openData(config, null);
    return { ...rest, data: { ...data, train: { ...data.train, labels: null } } as unknown as typeof data };
  };
  await compareInProcess({ ...options, openData }, async () => {
    throw new Error('it opened a device');
  }).then(
    () => assert.unreachable(),
    (error) => assert.match(error.message, /supervised-oracle \(reads labels\): .* has no labels.*--methods/),
  );
  assert.not.ok(existsSync(place('unlabelled')));
});

test('a damaged file of outcomes is named', async () => {
  appendFileSync(join(place('whole'), 'outcomes.jsonl'), '{"method": 1}\n');
  assert.match(await refusal(['--resume', place('whole')]), /outcomes\.jsonl is damaged: line 11/);
});

test('--list says of each method what it is, and whether it reads labels', () => {
  const list = listOfMethods();
  for (const { name, source, what } of METHODS) for (const text of [name, source, what]) assert.ok(list.includes(text));
  assert.is(list.match(/reads labels: YES/g)?.length, 1);
});

test.run();

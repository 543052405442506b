/** A gallery is what its collection is, and a run keeps its split, whatever happens to the files. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runCommand, succeed } from '../support/commands.ts';

const test = suite('in step');
const folder = mkdtempSync(join(tmpdir(), 'romo-step-'));
const at = (...names: string[]) => join(folder, ...names);
const FAST = '--preset tiny --batch 2 --clusters 2 --points 32 --epochs-ssm 1 --epochs-rdl 1 --quiet'.split(' ');

const search = async (...words: string[]): Promise<string> => (await succeed('search', ...words)).out;
const index = (data: string, to: string, ...words: string[]) =>
  search('index', at('run'), '--data', `folder:${at(data)}`, '--to', to, ...words);
const copy = (from: string, to: string) => {
  for (const end of ['.png', '.off']) cpSync(`test/sets/folder/${from}${end}`, `${at(to)}${end}`);
};

test.before(async () => {
  cpSync('test/sets/folder', at('set'), { recursive: true });
  for (const name of ['a', 'b'])
    for (const id of ['o0', 'o1']) copy(name === 'a' ? 'box/box_0' : 'plank/plank_0', `${name}/${id}`);
  copy('box/box_0', 'one/o9');
  await succeed('train', ...FAST, '--data', `folder:${at('set')}`, '--out', at('run'));
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('other collections, changes, deletions, one object', async () => {
  const to = at('gallery');
  assert.match(await index('a', to), /2 objects to embed.*added 2, renewed 0, removed 0, same 0/s);
  assert.match(await index('b', to), /4 images, 4 clouds\nadded 2/, 'the same ids');
  assert.match(await index('one', to), /1 object embedded.*5 images, 5 clouds/s);
  copy('plank/plank_0', 'a/o0');
  for (const end of ['.png', '.off']) renameSync(at(`a/o1${end}`), at(`a/o2${end}`));
  assert.match(await index('b/../a', to), /added 1, renewed 1, removed 0, same 0; 1 no longer in/);
  assert.match(await index('a', to, '--sync'), /5 images, 5 clouds\nadded 0, renewed 0, removed 1, same 2\n/);
  assert.match(await search('info', to), /\/a: 2 images.*\/b: 2 images.*\/one: 1 image,/s);
});

test('shapes are bounded; another model gets the command for a new gallery', async () => {
  const out = await search('index', at('run'), '--data', 'shapes', '--test', '3', '--to', at('shapes'));
  const { train } = JSON.parse(readFileSync(at('run', 'config.json'), 'utf8'));
  assert.match(out, new RegExp(`${train + 3} objects embedded`));
  await succeed('train', ...FAST, '--data', `folder:${at('set')}`, '--seed', '2', '--out', at('other'));
  const { code, errors } = await runCommand(
    'search',
    'index',
    at('other'),
    '--data',
    `folder:${at('a')}`,
    '--to',
    at('shapes'),
  );
  assert.is(code, 2);
  assert.match(errors, /node dist\/search\.js index \S+other --data folder:\S+\/a --to \S+shapes-[0-9a-f]{8}/);
});

test('what is added after training is neither trained on nor held out; smaller sets are evaluated', async () => {
  const split = JSON.parse(readFileSync(at('run', 'split.json'), 'utf8'));
  const before = JSON.parse((await succeed('evaluate', at('run'), '--json')).out).stages;
  for (const number of [1, 2, 3, 4, 5]) copy('box/box_0', `set/box/added_${number}`);
  const { out, errors } = await succeed('evaluate', at('run'), '--json');
  assert.equal(JSON.parse(out).stages, before);
  assert.match(errors, /came after training: 5 objects: box\/added_1/);
  renameSync(at('set'), at('moved'));
  const moved = await succeed('evaluate', at('run'), '--json', '--data', `folder:${at('moved')}`);
  assert.equal(JSON.parse(moved.out).stages, before, 'in another folder');
  renameSync(at('moved'), at('set'));
  const held = await search('index', at('run'), '--split', 'test', '--to', at('held'));
  assert.match(held, new RegExp(`${split.test.ids.length} objects? embedded`));
  const others = await search('index', at('run'), '--split', 'other', '--to', at('held'));
  assert.match(others, /5 objects embedded/);
  await succeed('evaluate', at('run'), '--data', `folder:${at('b')}`);
});

test('--resume needs every object of the run and names new ones; without split.json the split is drawn again', async () => {
  cpSync(at('run'), at('again'), { recursive: true });
  rmSync(at('again', 'result.json')); // as if stopped before the first checkpoint
  const [id] = JSON.parse(readFileSync(at('run', 'split.json'), 'utf8')).train.ids;
  const file = readdirSync(at('set'), { recursive: true, encoding: 'utf8' }).find((name) => name.startsWith(`${id}.`));
  renameSync(at('set', file as string), at('hidden'));
  const { code, errors } = await runCommand('train', '--resume', at('again'));
  assert.is(code, 2);
  assert.match(errors, new RegExp(`the run in \\S+again needs 1 object: ${id}, which are no longer`));
  renameSync(at('hidden'), at('set', file as string));
  const { out, errors: warnings } = await succeed('train', '--resume', at('again'));
  assert.match(`${out}${warnings}`, /came after training: 5 objects: box\/added_1/);
  const models = ['run', 'again'].map((name) => readFileSync(at(name, 'model.safetensors')));
  assert.is(Buffer.compare(models[0], models[1]), 0, 'trained on the same objects');
  rmSync(at('again', 'split.json'));
  assert.match((await succeed('evaluate', at('again'))).errors, /an older version made it: its split is drawn again/);
});

test('--inspect shows one pair, and says what training would refuse', async () => {
  const data = ['--data', `folder:${at('one')}`, '--inspect', '--out', at('look')];
  assert.match((await succeed('train', ...data)).out, /training would refuse this:\n.*no training objects/);
  assert.match(
    (await succeed('train', ...data, '--data', `folder:${at('set')}`)).out,
    /a batch of 50 is larger than the/,
  );
});

test.run();

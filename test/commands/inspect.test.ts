/** --inspect on sets that are not as expected, and paths with ~ where shells leave it. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CommandName, cacheIn, runCommand } from '../support/commands.ts';
import { setPath } from '../support/sets.ts';

const test = suite('inspect');
const home = mkdtempSync(join(tmpdir(), 'romo-inspect-'));
test.after(() => rmSync(home, { recursive: true, force: true }));

cacheIn(''); // below the home
process.env.HOME = home;

async function command(name: CommandName, ...words: string[]) {
  const { code, out, errors } = await runCommand(name, ...words);
  return { code, stdout: out, output: `${out}${errors}` };
}
const train = (...words: string[]) =>
  command('train', '--preset', 'tiny', '--workers', '0', '--batch', '2', '--clusters', '2', ...words);

test('~ is the home in a set and after an equals sign', async () => {
  cpSync(setPath('folder'), join(home, 'mine'), { recursive: true });
  const { code, stdout, output } = await train('--inspect', '--data', 'folder:~/mine', '--out=~/look');
  assert.is(code, 0, output);
  assert.match(stdout, new RegExp(`^folder:${home}/mine: 8 pairs to train on, 2 held out`));
  assert.ok(existsSync(join(home, 'look', 'contact-sheet.png')));
  assert.match(
    (await train('--inspect', '--data=folder:~/none')).output,
    new RegExp(`cannot read the folder ${home}/none`),
  );
});

test('~ is the home in the name of a gallery; another user is refused instead of a folder called ~name', async () => {
  const { output } = await command('search', 'info', 'pglite:~/gallery');
  assert.ok(output.includes(`${home}/gallery`), output);
  for (const words of [
    ['info', 'pglite:~someone/g'],
    ['index', 'none', '--to=~someone/g'],
  ]) {
    const { code, output: refusal } = await command('search', ...words);
    assert.is(code, 2);
    assert.match(refusal, /only ~ alone is replaced by a home, not ~someone.*\.\/~someone\/g/);
  }
});

test('all objects are bad: reasons are printed and listed, and the folder can be used for a run', async () => {
  const set = join(home, 'bad');
  mkdirSync(set);
  for (const name of ['a', 'b', 'c']) {
    cpSync('test/files/rgb.png', join(set, `${name}.png`));
    writeFileSync(join(set, `${name}.off`), 'OFF 1');
  }
  const listed = (out: string) => JSON.parse(readFileSync(join(home, out, 'skipped.json'), 'utf8')) as unknown[];
  const inspected = await train('--inspect', '--data', `folder:${set}`, '--out', join(home, 'bad-look'));
  assert.is(inspected.code, 2);
  assert.match(inspected.stdout, /bad objects: 3\n {2}.*[abc]\.off: /);
  assert.is(listed('bad-look').length, 3);
  const trained = await train('--on-bad', 'skip', '--data', `folder:${set}`, '--out', join(home, 'bad-run'));
  assert.is(trained.code, 2);
  assert.match(trained.output, /there are no test objects; .*[abc]\.off: /);
  assert.not.match(trained.output, /requested|--test/);
  assert.is(listed('bad-run').length, 3);
  const again = await train('--data', `folder:${set}`, '--out', join(home, 'bad-run'));
  assert.match(again.output, /[abc]\.off: /);
  assert.not.match(again.output, /holds another run/);
});

test('labels with gaps: only the classes that have objects; a cache folder that cannot be made is named', async () => {
  const { stdout } = await train(
    '--inspect',
    '--data',
    `voxels:${setPath('voxels_gaps')}`,
    '--cache-dir',
    '/proc/none',
    '--out',
    join(home, 'gaps'),
  );
  assert.match(stdout, /2 classes \(train\/test\): 2691156 3\/2, 3001627 2\/1\n/);
  assert.match(stdout, /no cache, cannot write to \/proc\/none/);
  assert.match(stdout, /bad objects: 1\n {2}.*row 1 has 6 occupied cells/);
});

test.run();

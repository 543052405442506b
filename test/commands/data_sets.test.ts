/** Every kind of data set, as a user runs it: one command trains, another evaluates, and the figures are the same. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CommandName, cacheIn, succeed } from '../support/commands.ts';
import { setPath, withFolder } from '../support/sets.ts';

const test = suite('data sets by command');
const folder = mkdtempSync(join(tmpdir(), 'romo-sets-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const FAST = '--preset tiny --batch 2 --clusters 2 --points 32 --image-size 16 --epochs-ssm 1 --epochs-rdl 1'.split(
  ' ',
);

cacheIn(join(folder, 'cache'));

const command = async (name: CommandName, ...words: string[]): Promise<string> => {
  const { out, errors } = await succeed(name, ...words);
  return `${out}${errors}`;
};

const SETS: readonly (readonly [name: string, spec: string, ...options: string[]])[] = [
  ['mnist-hdf5', `mnist3d:${setPath('mnist_hdf5')}`],
  ['mnist-lists', `mnist3d:${setPath('mnist_lists')}`],
  ['modelnet', `modelnet:${setPath('modelnet')}`, '--views', '2'],
  ['voxels', `voxels:${setPath('voxels/boxes.npz')}`, '--on-bad', 'skip'],
  ['rgbd', `rgbd:${setPath('rgbd')}`, '--every', '2'],
  ['folder', `folder:${setPath('folder')}`, '--up', 'y'],
];

for (const [name, spec, ...options] of SETS) {
  test(`train and evaluate on ${spec.slice(0, spec.indexOf(':'))} (${name})`, async () => {
    const out = join(folder, name);
    await command(
      'train',
      ...FAST,
      '--data',
      spec,
      '--train',
      'all',
      '--test',
      'all',
      ...options,
      '--out',
      out,
      '--quiet',
    );
    const { stages } = JSON.parse(readFileSync(join(out, 'result.json'), 'utf8'));
    for (const stage of ['ssm', 'rdl']) {
      for (const figure of ['imageToPoints', 'pointsToImage']) {
        const shown = stages[stage][figure];
        assert.ok(shown > 0 && shown <= 1, `${stage}.${figure} is ${shown}`);
      }
    }
    if (name === 'folder') {
      const [first] = readFileSync(join(out, 'metrics.jsonl'), 'utf8').split('\n');
      assert.equal(JSON.parse(first), { data: ['1 other files'] }, 'what was done beyond reading');
    }
    const again = await command('evaluate', out);
    if (name === 'folder') assert.ok(again.includes(`${spec}: 1 other files\n`), again);
    for (const figure of ['imageToPoints', 'pointsToImage']) {
      assert.ok(again.includes(stages.rdl[figure].toFixed(4)), `${figure} ${stages.rdl[figure]}:\n${again}`);
    }
  });
}

test('what was done to the files of a set is said by --inspect and in the log of a run', async () => {
  const files: Record<string, string> = {};
  for (let i = 0; i < 12; i++) {
    files[`${i}.png`] = '=test/files/rgb.png';
    const row = (k: number) => (k < i % 3 ? 'nan nan nan' : `${k / 8} ${(k * k) % 5} ${k % (i + 2)}`);
    files[`${i}.xyz`] = Array.from({ length: 60 }, (_, k) => row(k)).join('\n');
  }
  await withFolder(files, async (data) => {
    const words = [
      ...FAST,
      '--data',
      `folder:${data}`,
      '--train',
      'all',
      '--test',
      'all',
      '--k-ssm',
      '4',
      '--k-rdl',
      '4',
    ];
    assert.match(
      await command('train', ...words, '--inspect', '--out', join(folder, 'look')),
      /12 holes left out in 8 clouds/,
    );
    assert.match(
      await command('train', ...words, '--out', join(folder, 'holes')),
      /^ *12 holes left out in 8 clouds$/m,
    );
  });
});

test.run();

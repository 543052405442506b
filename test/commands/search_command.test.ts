/** `node dist/search.js` as a user runs it: index, query and info, in a folder and in an embedded Postgres. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { linesOf, runCommand, succeed } from '../support/commands.ts';

const test = suite('search command');
const folder = mkdtempSync(join(tmpdir(), 'romo-search-'));
const run = join(folder, 'run');
const other = join(folder, 'other');
const files = join(folder, 'files.gallery');
const COLLECTION = 'folder:test/sets/folder';
const SHAPE = 'test/sets/folder/box/box_0.off';

interface Answer {
  readonly id: string;
  readonly modality: string;
  readonly similarity: number;
  readonly metadata: Record<string, unknown>;
}

const search = async (...words: string[]): Promise<string> => (await succeed('search', ...words)).out;
const index = (to: string, ...words: string[]) => search('index', run, '--data', COLLECTION, '--to', to, ...words);
const ask = async (to: string, ...words: string[]): Promise<Answer[]> =>
  JSON.parse(await search('query', to, '--model', run, '--json', ...words)).answers;

test.before(async () => {
  const sizes =
    '--preset tiny --train 8 --test 2 --batch 2 --clusters 2 --points 32 --epochs-ssm 1 --epochs-rdl 1 --quiet';
  for (const [out, seed] of [
    [run, '1'],
    [other, '2'],
  ]) {
    await succeed('train', ...sizes.split(' '), '--data', COLLECTION, '--seed', seed, '--out', out);
  }
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('index: in shards, in any order, and again does nothing', async () => {
  assert.match(await index(files, '--shard', '1/2'), /5 objects embedded, 0 were there already\n.*5 images, 5 clouds/);
  assert.match(await index(files, '--shard', '0/2'), /5 objects embedded.*\n.*10 images, 10 clouds/);
  assert.match(
    await index(files, '--on-bad', 'skip'),
    /0 objects embedded, 10 were there already\n.*10 images, 10 clouds/,
  );
  assert.match(
    await search('info', files),
    /10 images, 10 clouds of \d+ numbers\nmodel: rdl, SHA-256 [0-9a-f]{64}\nobjects: .*background 1, .*points 32, .*up z/,
  );
});

test('query: an object finds its own embedding first, and by default the other kind', async () => {
  const pictures = await ask(files, '--points', SHAPE, '--top', '20');
  assert.is(pictures.length, 10);
  assert.ok(pictures.every(({ modality }) => modality === 'image'));
  const similarities = pictures.map(({ similarity }) => similarity);
  assert.equal(
    similarities,
    [...similarities].sort((a, b) => b - a),
  );
  const [own] = await ask(files, '--image', 'test/sets/folder/box/box_1.jpg', '--for', 'image', '--top', '1');
  assert.is(own.id, 'box/box_1');
  assert.ok(own.similarity > 0.9999, String(own.similarity));
  const some = await ask(files, '--points', SHAPE, '--for', 'both', '--where', "category = 'plank'", '--top', '50');
  assert.is(some.length, 10);
  assert.ok(some.every(({ metadata }) => metadata.category === 'plank' && !('thumbnail' in metadata)));
});

test('query --up turns the file that is asked, and only that', async () => {
  const asked = async (...words: string[]) =>
    (await ask(files, '--points', SHAPE, '--for', 'points', '--top', '1', ...words))[0];
  assert.is((await asked()).id, 'box/box_0');
  for (const words of [[], ['--up', 'z']]) assert.ok((await asked(...words)).similarity > 0.99999);
  assert.ok((await asked('--up', 'x')).similarity < 0.99999);
});

test('query --html is one page with pictures, and holds what is asked as text', async () => {
  const page = join(folder, 'answers.html');
  const where = "category <> '<script>alert(1)</script>'";
  const table = await search('query', files, '--model', run, '--points', SHAPE, '--where', where, '--html', page);
  assert.match(table, /similarity/);
  const html = readFileSync(page, 'utf8');
  assert.is(html.match(/<img src="data:image\/png;base64,/g)?.length, 11);
  assert.not.match(html, /<script/);
});

test('an embedded Postgres gives the same answers', async () => {
  const database = `pglite:${join(folder, 'database')}`;
  assert.match(await index(database), /10 objects embedded/);
  for (const words of [
    ['--points', SHAPE, '--top', '4'],
    ['--points', SHAPE, '--for', 'both', '--where', "split = 'test'"],
  ]) {
    const [expected, found] = [await ask(files, ...words), await ask(database, ...words)];
    assert.equal(
      found.map(({ id, modality }) => [id, modality]),
      expected.map(({ id, modality }) => [id, modality]),
    );
    found.forEach(({ similarity }, i) => {
      assert.ok(Math.abs(similarity - expected[i].similarity) < 1e-5);
    });
  }
});

const text = join(folder, 'notes.png');
for (const [name, words, expected] of [
  ['another model', ['query', files, '--model', other, '--points', SHAPE], /was made by another model/],
  ['another model, indexing', ['index', other, '--data', COLLECTION, '--to', files], /was made by the model.*not by/],
  [
    'files with another axis up',
    ['index', run, '--data', COLLECTION, '--to', files, '--up', 'y'],
    /prepared with up z, not y/,
  ],
  ['a mask without a picture', ['query', files, '--model', run, '--points', SHAPE, '--mask', SHAPE], /--mask belongs/],
  ['no gallery', ['query', join(folder, 'none'), '--model', run, '--points', SHAPE], /there is not a gallery at/],
  ['no run', ['query', files, '--model', join(folder, 'none'), '--points', SHAPE], /cannot read the model of/],
  ['no picture', ['query', files, '--model', run, '--image', text], /notes\.png/],
  ['a missing file', ['query', files, '--model', run, '--points', 'cup.off'], /cup\.off/],
  [
    'both questions',
    ['query', files, '--model', run, '--points', SHAPE, '--image', text],
    /one picture or one 3D file/,
  ],
  [
    'a broken condition',
    ['query', files, '--model', run, '--points', SHAPE, '--where', "category = 'x"],
    /where|condition|quote/i,
  ],
  ['a broken shard', ['index', run, '--to', files, '--shard', '4/4'], /--shard 4\/4 is not understood/],
  ['a server that is not there', ['info', 'postgres://romo@127.0.0.1:9/none'], /127\.0\.0\.1/],
] as const) {
  test(`${name}: one clear line, exit code 2`, async () => {
    writeFileSync(text, 'no picture at all');
    const { code, errors } = await runCommand('search', ...words);
    assert.is(code, 2, errors);
    const lines = linesOf(errors).filter((line) => !line.startsWith('folder:')); // not what was done to the files of a set
    assert.is(lines.length, 1, errors);
    assert.match(lines[0], expected);
    assert.not.ok(existsSync(join(folder, 'none')));
  });
}

test.run();

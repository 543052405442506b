/** A list file cannot lead out of its folder. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { resolveInside } from '../../../src/files/safe_path.ts';
import { rejects } from '../../support/files.ts';

const test = suite('safe_path');
const root = realpathSync(mkdtempSync(join(tmpdir(), 'romo-paths-')));
const folder = join(root, 'data');

test.before(() => {
  mkdirSync(join(folder, 'chair'), { recursive: true });
  writeFileSync(join(folder, 'chair', 'a.off'), '');
  writeFileSync(join(folder, '..a.off'), '');
  writeFileSync(join(root, 'secret.off'), '');
  mkdirSync(join(root, 'data2'));
  writeFileSync(join(root, 'data2', 'b.off'), '');
  symlinkSync(join(folder, 'chair', 'a.off'), join(folder, 'inside.off'));
  symlinkSync(join(root, 'secret.off'), join(folder, 'outside.off'));
  symlinkSync(root, join(folder, 'up'));
  symlinkSync(folder, join(root, 'alias'));
});
test.after(() => rmSync(root, { recursive: true, force: true }));

test('files inside, by any spelling', async () => {
  const a = join(folder, 'chair', 'a.off');
  for (const path of ['chair/a.off', './chair/a.off', 'chair/../chair/a.off', 'inside.off', 'up/data/chair/a.off']) {
    assert.is(await resolveInside(folder, path, 'list.txt'), a, path);
  }
  assert.is(await resolveInside(join(root, 'alias'), 'chair/a.off', 'list.txt'), a);
  assert.is(await resolveInside(folder, '..a.off', 'list.txt'), join(folder, '..a.off'));
});

test('paths that lead out', async () => {
  for (const path of ['../secret.off', 'chair/../../secret.off', '..', '.', '../data2/b.off']) {
    await rejects(() => resolveInside(folder, path, 'list.txt'), /^list\.txt: the path ".*" leads out of/);
  }
  for (const path of [join(root, 'secret.off'), '/etc/hostname', 'C:\\a.off', '\\\\server\\a.off']) {
    await rejects(() => resolveInside(folder, path, 'list.txt'), /^list\.txt: the path ".*" is absolute/);
  }
  for (const path of ['outside.off', 'up/secret.off']) {
    await rejects(() => resolveInside(folder, path, 'list.txt'), /through a symbolic link/);
  }
});

test('paths that are none', async () => {
  await rejects(() => resolveInside(folder, '', 'list.txt'), /is not a path/);
  await rejects(() => resolveInside(folder, 'a\0.off', 'list.txt'), /is not a path/);
  await rejects(() => resolveInside(folder, 'chair/b.off', 'list.txt'), /does not exist/);
});

test.run();

/** Writing files: complete or absent, synced before the rename, and with the previous version kept on request. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeFolder, writeWhole } from '../../src/files/disk.ts';

const test = suite('disk');
let folder: string;
let path: string;
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'romo-disk-'));
  path = join(folder, 'file');
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

const content = () => readFileSync(path, 'utf8');

/** The names that existed at each sync while `body` ran. */
async function syncsOf(body: () => Promise<void>): Promise<string[]> {
  const handle = await open(folder, 'r');
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  const { sync } = prototype;
  const seen: string[] = [];
  prototype.sync = function (this: unknown) {
    seen.push(existsSync(path) ? content() : 'nothing');
    return sync.call(this);
  };
  try {
    await body();
  } finally {
    prototype.sync = sync;
  }
  return seen;
}

test('text, bytes and chunks are written whole, and leave nothing else', async () => {
  await writeWhole(path, 'text');
  assert.is(content(), 'text');
  await writeWhole(path, Uint8Array.of(97, 98));
  assert.is(content(), 'ab');
  async function* chunks() {
    yield 'one ';
    yield Uint8Array.of(50);
  }
  await writeWhole(path, chunks());
  assert.is(content(), 'one 2');
  assert.equal(readdirSync(folder), ['file']);
});

test('the bytes are on the disk before the file has its name, then the name is', async () => {
  writeFileSync(path, 'old');
  const folderToo = process.platform === 'win32' ? [] : ['new'];
  assert.equal(await syncsOf(() => writeWhole(path, 'new')), ['old', ...folderToo]);
  assert.equal(await syncsOf(() => writeWhole(path, 'made again', { sync: false })), []);
  assert.is(content(), 'made again');
});

test('content that fails leaves the old file alone', async () => {
  writeFileSync(path, 'old');
  function* chunks() {
    yield 'half';
    throw new Error('no more');
  }
  const failed = await writeWhole(path, chunks(), { previous: join(folder, 'before') }).catch((error) => error.message);
  assert.is(failed, 'no more');
  assert.is(content(), 'old');
  assert.equal(readdirSync(folder), ['file']);
});

test('the version before keeps another name', async () => {
  const previous = join(folder, 'before');
  for (const text of ['1', '2', '3']) await writeWhole(path, text, { previous });
  assert.is(content(), '3');
  assert.is(readFileSync(previous, 'utf8'), '2');
});

test('writers of the same file do not disturb each other where they say that they share it', async () => {
  const long = (digit: number) => String(digit).repeat(1_000_000);
  await Promise.all([1, 2, 3, 4].map((digit) => writeWhole(path, long(digit), { shared: true, sync: false })));
  assert.match(content(), /^(1{1000000}|2{1000000}|3{1000000}|4{1000000})$/);
  assert.equal(readdirSync(folder), ['file']);
});

test('folders are made level by level, and a level that refuses says so', () => {
  makeFolder(join(folder, 'a', 'b'));
  assert.ok(existsSync(join(folder, 'a', 'b')));
  writeFileSync(path, '');
  assert.throws(() => makeFolder(join(path, 'c')), /ENOTDIR|ENOENT/);
});

test.run();

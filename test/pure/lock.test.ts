/** The lock of a folder: one writer at a time, left-overs of killed processes, file systems with few abilities. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { whileLocked } from '../../src/files/lock.ts';
import { RomoError } from '../../src/tensor/error.ts';

const HOLDER = '--hold';
const test = suite('lock');
const folder = mkdtempSync(join(tmpdir(), 'romo-lock-'));
const lock = join(folder, 'lock');
test.after.each(() => rmSync(lock, { force: true }));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const take = (patience = 300) => whileLocked(folder, async () => readFileSync(lock, 'utf8'), patience);

async function refused(): Promise<void> {
  try {
    await take();
  } catch (error) {
    assert.instance(error, RomoError);
    assert.match((error as RomoError).message, /is being written by another process.*delete .*lock/);
    return;
  }
  assert.unreachable('two hold the lock');
}

test('one at a time, in one process and in two', async () => {
  let inside = 0;
  const work = async () => {
    assert.is(++inside, 1);
    await sleep(5);
    inside--;
  };
  await Promise.all(Array.from({ length: 6 }, () => whileLocked(folder, work)));
  await whileLocked(folder, refused);
  const holder = spawn(process.execPath, [fileURLToPath(import.meta.url), HOLDER, folder]);
  await once(holder.stdout, 'data');
  await refused();
  const exit = once(holder, 'exit');
  holder.kill('SIGKILL');
  await exit;
  await take();
  assert.equal(readdirSync(folder), [], 'nothing is left');
});

test('a lock with the number of this process is a left-over, if another process made it', async () => {
  writeFileSync(lock, `${hostname()} ${process.pid}`); // as older versions wrote it
  await take();
  writeFileSync(lock, `${hostname()} ${process.pid} 12345`);
  await take();
});

test('so is one whose number another program has by now', async () => {
  if (process.platform !== 'linux') return; // only Linux says when a process started
  writeFileSync(lock, `${hostname()} ${process.ppid} 12345`);
  await take();
});

test('the lock of another machine, or of a process that runs, is respected', async () => {
  writeFileSync(lock, 'elsewhere 1 1');
  await refused();
  writeFileSync(lock, `${hostname()} ${process.ppid}`);
  await refused();
});

test('a process that is killed before it wrote its name, or during a takeover, blocks nobody', async () => {
  writeFileSync(lock, '');
  await refused();
  const old = Date.now() / 1000 - 10;
  utimesSync(lock, old, old);
  const guard = join(folder, 'lock-takeover');
  writeFileSync(guard, `${hostname()} ${process.pid} 12345`);
  await take(2000);
  assert.not.ok(existsSync(guard));
});

test('needs neither hard links nor folders that can be synced', () => {
  const program = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const fail = (code) => async () => { throw Object.assign(new Error(code), { code, syscall: 'x' }); };
    fs.promises.link = fail('ENOTSUP');
    const { open } = fs.promises;
    fs.promises.open = async (path, ...more) => {
      const file = await open(path, ...more);
      if (fs.statSync(path).isDirectory()) file.sync = fail('EINVAL');
      return file;
    };
    syncBuiltinESMExports();`;
  const preload = join(folder, 'poor.mjs');
  writeFileSync(preload, program);
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', preload, fileURLToPath(import.meta.url), '--write', join(folder, 'gallery')],
    { encoding: 'utf8' },
  );
  assert.is(status, 0, stderr);
});

if (process.argv[2] === HOLDER) {
  await whileLocked(process.argv[3], async () => {
    process.stdout.write('held\n');
    await sleep(60_000);
  });
} else if (process.argv[2] === '--write') {
  const { openFileGallery } = await import('../../src/search/files/file_gallery.ts');
  const { blockVector, STAMP } = await import('../support/gallery.ts');
  const gallery = await openFileGallery(process.argv[3], STAMP, () => Promise.reject(new Error('no search')));
  await gallery.upsert([{ id: 'a', modality: 'image', vector: blockVector(1), metadata: {} }]);
  await gallery.close();
} else test.run();

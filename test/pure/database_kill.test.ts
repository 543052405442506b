/**
 * `kill -9` during writes to an embedded database: each call is stored completely or not at all; writing can resume.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry } from '../../src/search/gallery.ts';
import { openDatabaseGallery } from '../../src/search/postgres/database.ts';
import { RomoError } from '../../src/tensor/error.ts';
import { blockVector, STAMP } from '../support/gallery.ts';

const PER_CALL = 1_200; // three statements
const WRITER = '--write';

/** The process to kill: makes one call after the other, and reports those that are done. */
async function writeOn(place: string, from: number): Promise<void> {
  const gallery = await openDatabaseGallery(place, STAMP);
  for (let call = from; ; call++) {
    const entries = Array.from({ length: PER_CALL }, (_, i): Entry => {
      return { id: `${call}.${i}`, modality: 'points', vector: blockVector(i), metadata: { call } };
    });
    await gallery.upsert(entries);
    process.stdout.write(`${call}\n`);
  }
}

const test = suite('embedded gallery, kill -9');
const folder = mkdtempSync(join(tmpdir(), 'romo-database-kill-'));
const to = `pglite:${join(folder, 'gallery')}`;
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('calls are whole or not there, and the next process goes on', async () => {
  let next = 1;
  for (let kill = 0; kill < 2; kill++) {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), WRITER, to, String(next)]);
    let complaints = '';
    child.stderr.on('data', (text) => {
      complaints += text;
    });
    let done = next - 1;
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      done = Number(line);
    });
    await Promise.race([once(lines, 'line'), once(child, 'exit')]);
    await sleep(41 * (kill + 1));
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
    assert.is(complaints, '');

    const gallery = await openDatabaseGallery(to, STAMP);
    const { points } = await gallery.info();
    // The call whose report was interrupted may be stored too.
    assert.ok(points === done * PER_CALL || points === (done + 1) * PER_CALL, `${points} after call ${done}`);
    const [answers] = await gallery.search(blockVector(1), { top: points + 1 });
    assert.is(answers.length, points);
    next = points / PER_CALL + 1;
    await gallery.close();
  }
});

test('a second process is refused while the first has it open', async () => {
  const first = await openDatabaseGallery(to, STAMP);
  const error = await openDatabaseGallery(to, STAMP).catch((cause) => cause);
  assert.instance(error, RomoError);
  assert.match(error.message, /another process/);
  await first.upsert([{ id: 'a', modality: 'image', vector: blockVector(1), metadata: {} }]);
  await first.close();
  const again = await openDatabaseGallery(to, null);
  assert.is((await again.info()).images, 1);
  await again.close();
});

if (process.argv[2] === WRITER) await writeOn(process.argv[3], Number(process.argv[4]));
else test.run();

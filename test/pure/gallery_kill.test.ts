/** `kill -9` during writes to a gallery of files: each call is stored completely or not at all; writing can resume. */
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
import { openFileGallery } from '../../src/search/files/file_gallery.ts';
import type { Entry, Gallery } from '../../src/search/gallery.ts';
import { blockVector, STAMP } from '../support/gallery.ts';

const PER_CALL = 5;
const WRITER = '--write';

const noDevice = () => Promise.reject(new Error('no search is asked for'));
const open = (path: string): Promise<Gallery> => openFileGallery(path, STAMP, noDevice);
const idsOf = (call: number) => Array.from({ length: PER_CALL }, (_, i) => `${call}.${i}`);

/** The process to kill: makes calls, each replacing half of the previous one, and reports those that are done. */
async function writeOn(path: string, from: number): Promise<void> {
  const gallery = await open(path);
  for (let call = from; ; call++) {
    const metadata = { call };
    const entry = (id: string): Entry => ({ id, modality: 'image', vector: blockVector(call), metadata });
    await gallery.upsert([...idsOf(call), ...idsOf(call - 1).slice(0, 2)].map(entry));
    process.stdout.write(`${call}\n`);
  }
}

const test = suite('gallery, kill -9');
const folder = mkdtempSync(join(tmpdir(), 'romo-gallery-kill-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('calls are whole or not there, and the next process goes on', async () => {
  const path = join(folder, 'gallery');
  let next = 1;
  // A busy machine writes little between two kills; each kill waits for one call at least.
  for (let kill = 0; kill < 8 || next <= 20; kill++) {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), WRITER, path, String(next)]);
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
    await sleep(17 * (kill % 8) + 3 * (kill % 3));
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
    assert.is(complaints, '');

    const gallery = await open(path);
    const calls = Array.from({ length: done + 2 }, (_, i) => i + 1);
    const there = await gallery.present(calls.flatMap(idsOf), 'image');
    const whole = calls.filter((call) => idsOf(call).every((id) => there.has(id)));
    const count = (await gallery.info()).images;
    await gallery.close();
    const last = whole.length;
    assert.ok(last === done || last === done + 1, `${last} calls are there, ${done} were said to be done`);
    // `0.0` and `0.1` come with the first call.
    assert.is(count, PER_CALL * last + 2, `${count} entries after ${last} calls`);
    next = last + 1;
  }
});

if (process.argv[2] === WRITER) await writeOn(process.argv[3], Number(process.argv[4]));
else test.run();

/** `kill -9` three times in one run, once while it writes a checkpoint: the run still ends with the same bytes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fingerprint, startTraining, trial } from '../../tools/safety/kill.mjs';

const test = suite('kill -9');
const folder = mkdtempSync(join(tmpdir(), 'romo-kill-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

// 3 steps per stage
const words =
  '--preset tiny --train 30 --test 10 --batch 10 --clusters 2 --epochs-ssm 1 --epochs-rdl 1 --checkpoint-every 1 --quiet'.split(
    ' ',
  );

test('a run that is killed again and again ends like one that is left alone', async () => {
  const whole = join(folder, 'whole');
  const { code, output } = await startTraining([...words, '--out', whole]).ended;
  assert.is(code, 0, output);
  const moments = [
    { step: 2, delay: 0, inWrite: true },
    { step: 3, delay: 30, inWrite: false },
    { step: 5, delay: 5, inWrite: false },
  ];
  const { kills, same, problem } = await trial(join(folder, 'killed'), fingerprint(whole), moments, words);
  assert.ok(same, `${problem} ${JSON.stringify(kills)}`);
  assert.is(kills.length, 3);
});

test.run();

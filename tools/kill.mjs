/**
 * `npm run test:kill [-- KILLS [SEED]]`: trains a tiny model once without interruption. Then it trains it again and again, each time killed
 * at a random moment of either stage (every third time while it writes a checkpoint) and resumed. All runs must end with the same bytes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { run } from './run.mjs';
import { fingerprint, startTraining, tiny, tinySteps, trial } from './safety/kill.mjs';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const [kills = 30, seed = 1] = process.argv.slice(2).map(Number);
process.exitCode = (await run(process.execPath, ['tools/build.mjs'])) || (await campaign());

async function campaign() {
  const folder = mkdtempSync(join(tmpdir(), 'romo-kill-'));
  const random = mulberry32(seed);
  try {
    const whole = join(folder, 'whole');
    const { code, output } = await startTraining([...tiny, '--out', whole]).ended;
    if (code !== 0) throw new Error(`the uninterrupted run failed: ${output}`);
    const expected = fingerprint(whole);
    const table = new Table({
      head: ['kill', 'after steps', 'during a write', 'resumed from', 'same bytes'],
      style: { head: [], border: [] },
    });
    let failures = 0;
    for (let i = 0; i < kills; i++) {
      // One stratum per kill, so that even a few kills cover both stages.
      const moment = {
        step: Math.floor(((i + random()) / kills) * tinySteps),
        delay: 300 * random(),
        inWrite: i % 3 === 2,
      };
      const {
        kills: [kill],
        same,
        problem,
      } = await trial(join(folder, 'killed'), expected, [moment]);
      table.push([i + 1, kill.steps, kill.inWrite ? 'yes' : '', kill.from, same ? 'yes' : 'NO']);
      console.log(`${i + 1}/${kills}: killed after ${kill.steps} steps, ${problem ?? 'the same bytes'}`);
      if (!same) failures++;
    }
    console.log(`${table}`);
    console.log(`${kills} kills, ${failures} with a different result`);
    return failures === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Seeded random numbers in [0, 1), so that a campaign can be repeated. */
function mulberry32(state) {
  let a = state;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

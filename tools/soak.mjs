/**
 * `npm run test:soak [-- STEPS [STEPS_IN_BROWSER]]`: trains a tiny model for 10,000 steps in Node and 2,000 in a browser. At the end the GPU
 * must hold what it held after 10 steps. The host, after garbage collection, may hold at most 5 % more than after a tenth of the steps.
 */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import Table from 'cli-table3';
import { findBrowser } from './browsers.mjs';
import { run } from './run.mjs';
import { setUp } from './setup.mjs';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const [steps = 10_000, browserSteps = 2_000] = process.argv.slice(2).map(Number);
const folder = join('dist', 'test', 'soak');
const environment = await setUp({ browser: true });
const built = environment ? await run(process.execPath, ['tools/build.mjs']) : 1;
process.exitCode = built || ((await inNode()) && (await inBrowser()) ? 0 : 1);

async function inNode() {
  const words = ['--expose-gc', join(folder, 'soak.node.js'), String(steps)];
  const { stdout } = await promisify(execFile)(process.execPath, words, { env: environment, maxBuffer: 2 ** 26 });
  return judge('Node', JSON.parse(stdout));
}

async function inBrowser() {
  const { runInBrowser } = await import(pathToFileURL(join('dist', 'test', 'support', 'page.js')).href);
  const flags = ['--enable-precise-memory-info', '--js-flags=--expose-gc'];
  const options = { flags, hash: String(browserSteps), seconds: 3600 };
  return judge('browser', await runInBrowser(findBrowser(), join(folder, 'soak.browser.js'), options));
}

/** Prints the memory held after each number of steps, and whether it stayed the same. */
function judge(where, { adapter, held, error }) {
  if (error) throw new Error(`${where}: ${error}`);
  const table = new Table({ head: ['step', 'GPU, bytes', 'buffers', 'host, MiB'], style: { head: [], border: [] } });
  for (const { step, deviceBytes, liveBuffers, hostBytes } of held) {
    table.push([step, deviceBytes, liveBuffers, (hostBytes / 2 ** 20).toFixed(1)]);
  }
  const [first, last] = [held[0], held[held.length - 1]];
  const flat = held.every(
    ({ deviceBytes, liveBuffers }) => deviceBytes === first.deviceBytes && liveBuffers === first.liveBuffers,
  );
  const start = held.find(({ step }) => step >= last.step / 10);
  const growth = last.hostBytes / start.hostBytes - 1;
  console.log(`${where}, ${adapter}:\n${table}`);
  console.log(
    `the GPU holds ${flat ? 'the same throughout' : 'A DIFFERENT AMOUNT'}; the host ${(100 * growth).toFixed(1)} % more than after ${start.step} steps`,
  );
  return flat && growth <= 0.05;
}

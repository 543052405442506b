/**
 * `npm run fuzz [-- FILES]`: the long version of the short test of damaged files, 100,000 per format. HDF5 files are read in a series of
 * processes. A new one starts when the HDF5 library aborts, so that all files are read, and after each portion: what thousands of
 * damaged files leave in the library's memory once sent it into an endless loop, on a file that a new process refuses at once.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';
import { setUp } from './setup.mjs';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const files = Number(process.argv[2] ?? 100_000);
const PORTION = 250; // HDF5 files per process
const LONGEST = 60_000; // ms; a portion takes one second, so this is a hang

/** Runs a test program and resolves to what it printed. */
function start(words, environment = process.env, limit = 0) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    const timer = limit > 0 ? setTimeout(() => child.kill('SIGKILL'), limit) : undefined;
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(output);
      else reject(new Error(`${words.join(' ')} ended with ${signal ?? code}\n${output}`));
    });
  });
}

async function hdf5(name) {
  let next = 0;
  let gaveUp = 0;
  while (next < files) {
    const words = ['dist/test/support/fuzz_hdf5.js', name, String(next), String(Math.min(files, next + PORTION))];
    const answer = JSON.parse(await start(words, process.env, LONGEST));
    next = answer.next;
    if (answer.gaveUp) gaveUp++;
  }
  return `${name}: ${files} files, of which ${gaveUp} made the library abort`;
}

const all = async (...path) => start([join('dist', 'test', ...path)], { ...environment, ROMO_FUZZ: String(files) });

async function campaign() {
  const jobs = [
    () => all('pure', 'files', 'fuzz_ours.test.js'),
    () => hdf5('clouds.h5'),
    () => hdf5('clouds_packed.h5'),
    () => all('gpu', 'fuzz_models.test.js'),
    () => all('pure', 'files', 'fuzz.test.js'),
  ];
  let failures = 0;
  const work = async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const begin = performance.now();
      const text = await job().catch((error) => {
        failures++;
        return error.message;
      });
      console.log(`${text.trim()}\n${((performance.now() - begin) / 1000).toFixed(0)} s\n`);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, availableParallelism() - 1) }, work));
  return failures === 0 ? 0 : 1;
}

const environment = await setUp();
const built = environment ? await run(process.execPath, ['tools/build.mjs']) : 1;
process.exitCode = built || (await campaign());

/** Kills a training run with `kill -9` and resumes it, to see whether anything was lost. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** 4 steps per epoch, 2 epochs per stage: 16 steps; a checkpoint after every third step of an epoch and at its end. */
export const tiny =
  '--preset tiny --train 40 --test 20 --batch 10 --clusters 4 --checkpoint-every 3 --quiet --overwrite'.split(' ');
export const tinySteps = 16;

const results = ['model.safetensors', 'metrics.jsonl', 'pseudo-labels.csv'];

/** SHA-256 of the files that a run produces, by name. */
export function fingerprint(folder) {
  const hash = (name) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
  return Object.fromEntries(results.map((name) => [name, hash(name)]));
}

/** Starts `node dist/train.js`; `ended` resolves to its exit code or signal and its output. */
export function startTraining(words, options = {}) {
  const child = spawn(process.execPath, ['dist/train.js', ...words], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, output })));
  return { child, ended };
}

/** The number of steps that a run has logged. */
export function stepsDone(folder) {
  const path = join(folder, 'metrics.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8').split('"loss":').length - 1 : 0;
}

/**
 * Starts a run, kills it at each of the given moments, resumes it each time, and compares the files at the end.
 * @param moments [{ step, delay, inWrite }]: kill after `step` steps and `delay` milliseconds or, with inWrite, during the next
 *   write of a checkpoint after that
 * @returns { kills, same, problem }: per kill { steps, inWrite, from }: the steps done, whether there was a half-written file, and
 *   where the run resumed, in words; whether all files have the bytes of `expected`; what went wrong, or null
 */
export async function trial(folder, expected, moments, words = tiny) {
  rmSync(folder, { recursive: true, force: true });
  const kills = [];
  let training = startTraining([...words, '--out', folder]);
  for (const moment of moments) {
    await killAt(training, folder, moment);
    kills.push({
      steps: stepsDone(folder),
      inWrite: existsSync(join(folder, 'checkpoint.safetensors.part')),
      from: startingPoint(folder),
    });
    training = startTraining(
      existsSync(join(folder, 'config.json')) ? ['--resume', folder] : [...words, '--out', folder],
    );
  }
  const { code, output } = await training.ended;
  if (code !== 0) return { kills, same: false, problem: `exit code ${code}: ${output}` };
  const found = fingerprint(folder);
  const other = results.filter((name) => found[name] !== expected[name]);
  return { kills, same: other.length === 0, problem: other.length > 0 ? `different bytes: ${other.join(', ')}` : null };
}

async function killAt({ child, ended }, folder, { step, delay, inWrite }) {
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  while (!isOver && stepsDone(folder) < step) await wait(2);
  await wait(delay);
  const part = join(folder, 'checkpoint.safetensors.part');
  while (!isOver && inWrite && !existsSync(part)) await new Promise((resolve) => setImmediate(resolve));
  child.kill('SIGKILL');
  await ended;
}

/** Where a run will resume, read from its files. */
function startingPoint(folder) {
  if (existsSync(join(folder, 'result.json'))) return 'already finished';
  for (const name of ['checkpoint.safetensors', 'checkpoint.previous.safetensors']) {
    if (!existsSync(join(folder, name))) continue;
    const bytes = readFileSync(join(folder, name));
    const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())));
    const { stage, epoch, step } = JSON.parse(header.__metadata__.progress).position;
    return `${stage}, epoch ${epoch + 1}, step ${step}`;
  }
  return 'the start';
}

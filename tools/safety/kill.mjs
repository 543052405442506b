/** Kills a training run with `kill -9` and lets it go on, to see whether anything was lost. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** 4 steps an epoch, 2 epochs a stage: 16 steps, a checkpoint after every third of an epoch and at its end. */
export const tiny =
  '--preset tiny --train 40 --test 20 --batch 10 --clusters 4 --checkpoint-every 3 --quiet --overwrite'.split(' ');
export const tinySteps = 16;

const results = ['model.safetensors', 'metrics.jsonl', 'pseudo-labels.csv'];

/** SHA-256 of the files that a run leaves behind, by name. */
export function fingerprint(folder) {
  const hash = (name) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
  return Object.fromEntries(results.map((name) => [name, hash(name)]));
}

/** Starts `node dist/train.js`; `ended` resolves to its exit code or signal, and what it said. */
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

/** Steps that a run has written down. */
export function stepsDone(folder) {
  const path = join(folder, 'metrics.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8').split('"loss":').length - 1 : 0;
}

/**
 * Starts a run, kills it at each of some moments and lets it go on, and compares what it leaves behind.
 * @param moments [{ step, delay, inWrite }]: after so many steps and milliseconds, or in the next write of a checkpoint after that
 * @returns { kills, same, problem }: per kill { steps, inWrite, from }: steps done, whether a half-written file was there, and where
 *   the run went on from, in words; whether all files have the bytes of `expected`; what went wrong, or null
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
  return { kills, same: other.length === 0, problem: other.length > 0 ? `other bytes: ${other.join(', ')}` : null };
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

/** Where a run will go on from, read from its files. */
function startingPoint(folder) {
  if (existsSync(join(folder, 'result.json'))) return 'finished already';
  for (const name of ['checkpoint.safetensors', 'checkpoint.previous.safetensors']) {
    if (!existsSync(join(folder, name))) continue;
    const bytes = readFileSync(join(folder, name));
    const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())));
    const { stage, epoch, step } = JSON.parse(header.__metadata__.progress).position;
    return `${stage}, epoch ${epoch + 1}, step ${step}`;
  }
  return 'the start';
}

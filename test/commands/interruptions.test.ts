/** Interruptions of a run: signals, a lost GPU, a full disk, another run's folder. None of them loses anything. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readTrainOptions, trainCommand } from '../../src/commands/options.ts';
import { train } from '../../src/commands/training.ts';
import { openDevice } from '../../src/tensor/device.ts';
import { fingerprint, startTraining, stepsDone, tiny } from '../../tools/safety/kill.mjs';
import { runCommand } from '../support/commands.ts';

const test = suite('interruptions');
const folder = mkdtempSync(join(tmpdir(), 'romo-interruptions-'));
const place = (name: string) => join(folder, name);
let expected: Record<string, string> = {};

/** Trains in this process; signals and other users need one of their own. */
async function trainHere(...words: string[]) {
  const { code, out, errors } = await runCommand('train', ...words);
  return { code, output: `${out}${errors}` };
}

test.before(async () => {
  const { code, output } = await trainHere(...tiny, '--out', place('whole'));
  assert.is(code, 0, output);
  expected = fingerprint(place('whole'));
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

async function resume(out: string): Promise<void> {
  const { code, output } = await trainHere('--resume', out, '--quiet');
  assert.is(code, 0, output);
  assert.equal(fingerprint(out), expected);
}

for (const [signal, exitCode, after] of [
  ['SIGINT', 130, 3],
  ['SIGTERM', 143, 10],
] as const) {
  test(`${signal}: the step is finished and saved, and the resumed run ends with the same bytes`, async () => {
    const out = place(signal);
    const { child, ended } = startTraining([...tiny, '--out', out]);
    while (stepsDone(out) < after) await wait(2);
    child.kill(signal);
    const { code, output } = await ended;
    assert.is(code, exitCode, output);
    assert.match(output, new RegExp(`Continue with: node dist/train.js --resume ${out}`));
    assert.not.ok(existsSync(join(out, 'result.json')));
    await resume(out);
  });
}

/** Trains in this process, on devices that are destroyed after the given numbers of steps. */
async function trainLosing(out: string, losses: readonly number[]): Promise<number> {
  const command = trainCommand().parse([...tiny, '--out', out], { from: 'user' });
  let opened = 0;
  await train(readTrainOptions(command), async (options) => {
    const gpu = await openDevice(options);
    const step = losses[opened++];
    if (step === undefined) return gpu;
    const watch = setInterval(() => {
      if (stepsDone(out) < step) return;
      clearInterval(watch);
      gpu.device.destroy();
    }, 1);
    void gpu.device.lost.then(() => clearInterval(watch));
    return gpu;
  });
  return opened;
}

test('a lost GPU is opened again, in either stage, and the bytes are the same', async () => {
  assert.is(await trainLosing(place('lost'), [2, 11]), 3);
  assert.equal(fingerprint(place('lost')), expected);
});

test('a GPU that is lost again and again is given up, and the checkpoint stays', async () => {
  const out = place('given-up');
  try {
    await trainLosing(out, [3, 3, 3, 3]);
    assert.unreachable('it went on');
  } catch (error) {
    assert.match((error as Error).message, /the GPU was lost 4 times/);
  }
  await resume(out);
});

test('the folder of another run is left as it is', async () => {
  const before = fingerprint(place('whole'));
  const words = tiny.filter((word) => word !== '--overwrite');
  const { code, output } = await trainHere(...words, '--seed', '2', '--out', place('whole'));
  assert.is(code, 2, output);
  assert.match(output, /whole.*--overwrite/);
  assert.equal(fingerprint(place('whole')), before);
});

test('a loss that is not a number ends the run: step and samples are named, and the checkpoint holds numbers only', async () => {
  const out = place('diverged');
  const { code, output } = await trainHere(...tiny, '--lr-ssm', '1e30', '--out', out);
  assert.ok(code === 1 || code === 2, output);
  assert.match(
    output,
    /ssm: (the loss is NaN at step \d+, epoch \d+; samples train\/\d+( train\/\d+)+|\S+\[\d+\] is (NaN|-?Infinity))/,
  );
  const bytes = readFileSync(join(out, 'checkpoint.safetensors'));
  const header = Number(bytes.readBigUInt64LE());
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset + 8 + header, bytes.byteOffset + bytes.length));
  assert.ok(values.length > 1000);
  const again = await trainHere('--resume', out, '--check-finite', '--quiet');
  assert.match(
    again.output,
    /\w+\.\w+ is the first kernel whose output is not finite: .* \(ssm, step 2, epoch 1; samples train/,
  );
});

test('a batch that does not fit: the tensor, its bytes and the largest batch are named', async () => {
  const words = ['--memory', '3MiB', '--overwrite', '--out', place('narrow')];
  const { code, output } = await trainHere(...tiny, '--batch', '30', ...words);
  assert.is(code, 2, output);
  const [, largest] =
    /a tensor \[[\d,]+\] of \d+ bytes does not fit: \d+ of 3145728 bytes .* largest batch that fits is (\d+)/.exec(
      output,
    ) ?? [];
  assert.ok(Number(largest) >= 2, output);
  const fitting = await trainHere(...tiny, '--batch', largest, ...words);
  assert.is(fitting.code, 0, fitting.output);
});

test('a full disk: file and cause are named, and with space the resumed run ends with the same bytes', async () => {
  const disk = place('disk');
  mkdirSync(disk);
  const mount = (...words: string[]) => spawnSync('mount', words, { encoding: 'utf8' });
  if (mount('-t', 'tmpfs', '-o', 'size=700k', 'tmpfs', disk).status !== 0) {
    console.log('a small disk cannot be made here (mount needs root): full disks are not tried');
    return;
  }
  try {
    const out = join(disk, 'run');
    const { code, output } = await trainHere(...tiny, '--out', out);
    assert.is(code, 2, output);
    assert.match(output, /ENOSPC|no space left/i);
    assert.match(output, /checkpoint|metrics|model/);
    const held = ['checkpoint.safetensors', 'checkpoint.previous.safetensors'].filter((name) =>
      existsSync(join(out, name)),
    );
    for (const name of held) assert.ok(readFileSync(join(out, name)).length > 0, name);
    assert.is(mount('-o', 'remount,size=64m', disk).status, 0);
    await resume(out);
  } finally {
    spawnSync('umount', [disk]);
  }
});

test('a folder that may not be written to is named before anything is computed; a run that may not be read too', async () => {
  // Root may do anything, so the run then belongs to the user `nobody`.
  const isRoot = process.getuid?.() === 0;
  const other = isRoot ? { uid: 65534, gid: 65534, env: { ...process.env, HOME: tmpdir() } } : {};
  const closed = place('closed');
  mkdirSync(closed);
  chmodSync(folder, 0o755);
  chmodSync(closed, 0o555);
  const refused = await startTraining([...tiny, '--out', join(closed, 'run')], other).ended;
  assert.is(refused.code, 2, refused.output);
  assert.match(refused.output, /closed.*(EACCES|permission denied)|(EACCES|permission denied).*closed/is);
  const checkpoint = join(place('diverged'), 'checkpoint.safetensors'); // of the test above
  const before = readFileSync(checkpoint);
  chmodSync(join(place('diverged'), 'config.json'), 0o000);
  const hidden = await startTraining(['--resume', place('diverged'), '--quiet'], other).ended;
  assert.is(hidden.code, 2, hidden.output);
  assert.match(hidden.output, /config\.json.*(EACCES|permission denied)|(EACCES|permission denied).*config\.json/is);
  chmodSync(join(place('diverged'), 'config.json'), 0o644);
  chmodSync(place('diverged'), 0o555);
  const unwritable = await startTraining(['--resume', place('diverged'), '--quiet'], other).ended;
  assert.is(unwritable.code, 2, unwritable.output);
  assert.match(unwritable.output, /(EACCES|permission denied).*diverged/is);
  assert.is(Buffer.compare(readFileSync(checkpoint), before), 0);
});

test('a file system that is read only is named', async () => {
  const disk = place('read-only');
  mkdirSync(disk);
  const mount = (...words: string[]) => spawnSync('mount', words, { encoding: 'utf8' });
  if (mount('-t', 'tmpfs', '-o', 'ro', 'tmpfs', disk).status !== 0) {
    console.log('a read-only disk cannot be made here (mount needs root): it is not tried');
    return;
  }
  try {
    const { code, output } = await trainHere(...tiny, '--out', join(disk, 'run'));
    assert.is(code, 2, output);
    assert.match(output, /(EROFS|read-only file system).*read-only/is);
  } finally {
    spawnSync('umount', [disk]);
  }
});

test.run();

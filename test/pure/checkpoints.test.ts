/**
 * Checkpoint files: round trips, the previous one as a replacement for a damaged one, and errors that name the fault.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CheckpointWriter, readCheckpoint, removeCheckpoints } from '../../src/commands/checkpoints.ts';
import { MetricsLog } from '../../src/commands/metrics_log.ts';
import { PRESETS } from '../../src/romo/config.ts';
import type { Checkpoint } from '../../src/romo/run/checkpoint.ts';

const test = suite('checkpoints');
const folder = mkdtempSync(join(tmpdir(), 'romo-checkpoints-'));
const latest = join(folder, 'checkpoint.safetensors');
const previous = join(folder, 'checkpoint.previous.safetensors');
test.before.each(() => removeCheckpoints(folder));
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** A state in the middle of `rdl`; every number depends on the step. */
function checkpointAt(step: number): Checkpoint {
  const figures = { imageToPoints: 0.1, pointsToImage: 1 / 3, clusterAccuracy: 1, hit: 'class' as const };
  const labels = { images: Int32Array.of(1, 2, step), clouds: Int32Array.of(3, 0, step) };
  return {
    config: PRESETS.tiny,
    adapter: 'an adapter',
    metricsBytes: 100 + step,
    state: {
      stage: {
        stage: 'rdl',
        epoch: 1,
        step,
        tensors: { 'model.weight': Float32Array.of(0.1, -0, 1e-45, step), 'velocity.weight': new Float32Array(30) },
        labels,
      },
      figures: { untrained: figures, kmeans: figures, ssm: figures },
      seconds: { untrained: 0.1, ssm: 2, pseudoLabels: 3, rdl: 4.5, figures: 6 },
      warm: { model: { 'head.weight': { shape: [2, 1], data: Float32Array.of(5, step) } }, labels },
    },
  };
}

async function save(...steps: number[]): Promise<void> {
  const writer = new CheckpointWriter(folder, 1);
  for (const step of steps) {
    await writer.save(
      async () => checkpointAt(step),
      async () => {},
    );
  }
  await writer.settled();
}

const silent = (text: string) => assert.unreachable(text);
// The file stores shape and dtype of each tensor; the state does not.
const withoutDtype = (key: string, value: unknown) => (key === 'dtype' ? undefined : value);
const plain = (checkpoint: Checkpoint | null) => JSON.parse(JSON.stringify(checkpoint, withoutDtype));

test('what is read is what was written, bit by bit', async () => {
  assert.is(readCheckpoint(folder, silent), null);
  await save(1, 2, 3);
  const read = readCheckpoint(folder, silent);
  assert.equal(plain(read), plain(checkpointAt(3)));
  assert.ok(Object.is(read?.state.stage.tensors['model.weight'][1], -0));
  assert.is(read?.state.stage.tensors['model.weight'][2], Math.fround(1e-45));
  assert.equal(readdirSync(folder).sort(), ['checkpoint.previous.safetensors', 'checkpoint.safetensors']);
});

test('between epochs and in the warm-up there are not labels', async () => {
  const { state, ...rest } = checkpointAt(0);
  const bare = { ...rest, state: { ...state, stage: { ...state.stage, labels: null }, warm: null } };
  const writer = new CheckpointWriter(folder, 1);
  await writer.save(
    async () => bare,
    async () => {},
  );
  await writer.settled();
  assert.equal(plain(readCheckpoint(folder, silent)), plain(bare));
});

test('any change of any byte is noticed, and the checkpoint before is used', async () => {
  await save(1, 2);
  const [good, before] = [readFileSync(latest), readFileSync(previous)];
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, change, cut) => {
      const bytes = Buffer.from(good);
      bytes[at] ^= change;
      writeFileSync(latest, cut ? good.subarray(0, at) : bytes);
      writeFileSync(previous, before);
      const said: string[] = [];
      const read = readCheckpoint(folder, (text) => said.push(text));
      assert.is(read?.state.stage.step, 1);
      assert.match(said.join(), /checkpoint\.safetensors is damaged.*continuing from the previous one/);
      assert.not.ok(existsSync(latest), 'it would push the whole one out');
    }),
    { numRuns: 200 },
  );
});

test('where the latest is missing, the one before is used', async () => {
  await save(1, 2);
  rmSync(latest);
  assert.is(readCheckpoint(folder, silent)?.state.stage.step, 1);
});

test('where both are damaged, nothing is guessed', async () => {
  await save(1, 2);
  writeFileSync(latest, 'x');
  writeFileSync(previous, readFileSync(previous).subarray(0, 50));
  assert.throws(() => readCheckpoint(folder, silent), /checkpoint\.safetensors is damaged.*previous.*--overwrite/);
});

test('a write that fails names the file and the cause, and leaves the checkpoints as they are', async () => {
  await save(1, 2);
  mkdirSync(`${latest}.part`);
  await save(3).then(
    () => assert.unreachable(),
    ({ message, code }) => {
      assert.is(code, 'file');
      assert.match(message, /cannot write the checkpoint .*EISDIR.*--resume/);
    },
  );
  rmSync(`${latest}.part`, { recursive: true });
  assert.is(readCheckpoint(folder, silent)?.state.stage.step, 2);
});

test('due at the start and the end of an epoch, in between every so many steps', () => {
  const due = (every: number | null) =>
    [0, 1, 2, 3, 4].map((step) => new CheckpointWriter(folder, every).isDue({ step }));
  assert.equal(due(2), [true, false, true, false, true]);
  assert.equal(due(null), [true, false, false, false, false]);
});

test('metrics: lines behind the checkpoint go, lines that were lost are said', () => {
  const path = join(folder, 'metrics.jsonl');
  const log = new MetricsLog(path, 0, silent);
  log.add({ step: 1 });
  const { bytes } = log;
  log.add({ step: 2, text: 'ü' });
  assert.is(log.bytes, readFileSync(path).length);
  log.close();
  const again = new MetricsLog(path, bytes, silent);
  again.add({ step: 3 });
  again.close();
  assert.is(readFileSync(path, 'utf8'), '{"step":1}\n{"step":3}\n');
  const said: string[] = [];
  new MetricsLog(path, 1000, (text) => said.push(text)).close();
  assert.match(said.join(), /has lost lines: 22 bytes instead of 1000/);
});

test.run();

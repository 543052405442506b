/** Telling a lost device from other errors: too short a wait would report an error although work could continue. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Gpu } from '../../src/tensor/device.ts';
import { RomoError } from '../../src/tensor/error.ts';
import { isLost } from '../../src/tensor/recover.ts';

const test = suite('lost or not');

/** A device that reports its loss after some milliseconds. */
const gpuLostAfter = (milliseconds: number): Pick<Gpu, 'device'> => ({
  device: { lost: new Promise((resolve) => setTimeout(resolve, milliseconds)) } as unknown as GPUDevice,
});
const never: Pick<Gpu, 'device'> = { device: { lost: new Promise(() => {}) } as unknown as GPUDevice };

async function timed(work: Promise<boolean>): Promise<[boolean, number]> {
  const start = performance.now();
  return [await work, performance.now() - start];
}

test('a loss that is reported late is still a loss', async () => {
  const [lost, took] = await timed(isLost(gpuLostAfter(1200), new Error('mapAsync: aborted')));
  assert.ok(lost);
  assert.ok(took < 1900, `${took} ms: it waited on after the report`);
});

test('without a report it is another error', async () => assert.not(await isLost(never, new Error('anything'))));

test('what a file causes is known at once', async () => {
  const [lost, took] = await timed(isLost(never, new RomoError('file', 'x.safetensors is cut off', '')));
  assert.not(lost);
  assert.ok(took < 500, `${took} ms`);
});

test.run();

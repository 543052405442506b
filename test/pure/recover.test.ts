/** Telling a lost device from other errors: too short a wait would report an error although work could continue. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Gpu } from '../../src/tensor/device.ts';
import { RomoError } from '../../src/tensor/error.ts';
import { isLost, LATE, within } from '../../src/tensor/recover.ts';

const test = suite('lost or not');

const never: Pick<Gpu, 'device'> = { device: { lost: new Promise(() => {}) } as unknown as GPUDevice };

/** What `work` answers without waiting for a timer, or `waiting`. */
const atOnce = (work: Promise<boolean>): Promise<boolean | 'waiting'> =>
  Promise.race([work, new Promise<'waiting'>((resolve) => setImmediate(() => resolve('waiting')))]);

test('a loss that is reported late is still a loss, and the report ends the wait', async () => {
  let report = () => {};
  const lost = new Promise<void>((resolve) => {
    report = resolve;
  });
  const answer = isLost({ device: { lost } as unknown as GPUDevice }, new Error('mapAsync: aborted'));
  const before = await new Promise((resolve) => setTimeout(() => resolve(atOnce(answer)), 1200));
  assert.is(before, 'waiting');
  report();
  assert.is(await atOnce(answer), true);
});

test('without a report it is another error', async () => assert.not(await isLost(never, new Error('anything'))));

test('what a file causes is known at once', async () =>
  assert.is(await atOnce(isLost(never, new RomoError('file', 'x.safetensors is cut off', ''))), false));

test('an answer in time is passed on, an error too, and a late one is late', async () => {
  assert.is(await within(1000, Promise.resolve(7)), 7);
  assert.is(await within(5, new Promise(() => {})), LATE);
  try {
    await within(1000, Promise.reject(new Error('refused')));
    assert.unreachable();
  } catch (error) {
    assert.match(`${error}`, /refused/);
  }
});

test.run();

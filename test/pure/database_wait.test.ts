/** How long a gallery waits for a database server, on a clock that the test turns. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { retried } from '../../src/search/postgres/connection.ts';

const test = suite('waiting for a server');

/** Seconds until a call gives up whose every attempt fails with this SQLSTATE or system code. */
async function secondsUntil(code: string): Promise<number> {
  let ms = 0;
  const clock = {
    now: () => ms,
    sleep: async (wait: number) => {
      ms += wait;
    },
  };
  const error = Object.assign(new Error(code), { code });
  await retried(() => Promise.reject(error), clock).then(assert.unreachable, (cause) => assert.is(cause, error));
  return ms / 1000;
}

test('a server that is gone has the time of a restart', async () => {
  assert.is(await secondsUntil('ECONNREFUSED'), 6.3);
  assert.is(await secondsUntil('57P01'), 6.3);
});

test('a server that recovers from a crash has a minute', async () => {
  const seconds = await secondsUntil('57P03');
  assert.ok(seconds > 55 && seconds <= 60, `${seconds} s`);
});

test('a conflict of transactions is tried again, other errors are not', async () => {
  assert.is(await secondsUntil('40P01'), 6.3);
  assert.is(await secondsUntil('23505'), 0);
});

test('an attempt that succeeds ends it', async () => {
  let attempts = 0;
  const answer = await retried(
    async () => {
      if (++attempts < 3) throw Object.assign(new Error(), { code: 'ECONNRESET' });
      return 'done';
    },
    { now: () => 0, sleep: async () => {} },
  );
  assert.equal([answer, attempts], ['done', 3]);
});

test.run();

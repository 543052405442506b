/** Names of galleries: the command line and the library must agree on which are folders and which databases. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openGallery } from '../../src/search/open.ts';
import { isDatabase, openDatabaseGallery } from '../../src/search/postgres/database.ts';
import { RomoError } from '../../src/tensor/error.ts';

const test = suite('open a gallery');

const noDevice = () => Promise.reject(new Error('no search is asked for'));

/** The error of opening, which must fail. */
async function refusal(opened: Promise<unknown>): Promise<RomoError> {
  try {
    await opened;
  } catch (error) {
    assert.instance(error, RomoError, String(error));
    return error as RomoError;
  }
  return assert.unreachable('it was opened') as never;
}

test('databases', async () => {
  for (const name of [
    'pglite:x',
    'pglite:memory://',
    'postgres://h/x',
    'postgresql://h/x',
    'postgres:x',
    'postgres:/x',
  ]) {
    assert.ok(isDatabase(name), name);
    // An empty schema name is rejected before connecting.
    for (const opened of [
      openGallery(`${name}?schema=`, null, noDevice),
      openDatabaseGallery(`${name}?schema=`, null),
    ]) {
      assert.match((await refusal(opened)).message, /the schema "" is not a name/, name);
    }
  }
});

test('folders', async () => {
  for (const name of ['none', './postgres:x', 'postgres', 'my-postgres://x', 'C:\\galleries', 'pglite']) {
    assert.not.ok(isDatabase(name), name);
    assert.match((await refusal(openGallery(name, null, noDevice))).message, /there is not a gallery at/, name);
    assert.match((await refusal(openDatabaseGallery(name, null))).message, /URL of the database/, name);
  }
});

test.run();

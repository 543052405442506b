/** Errors of galleries on a Postgres server: it goes down, refuses access, lacks pgvector; names contain SQL. */
import { setTimeout as sleep } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry, Gallery, ModelStamp } from '../../src/search/gallery.ts';
import { explainPackage } from '../../src/search/postgres/connection.ts';
import { openDatabaseGallery } from '../../src/search/postgres/database.ts';
import type { RomoError } from '../../src/tensor/error.ts';
import { freePort, startServer } from '../../tools/postgres_server.ts';
import { fails as assertFails, blockVector, STAMP } from '../support/gallery.ts';
import { runSql } from '../support/sql.ts';

const server = await startServer();
const to = `${server.url}/postgres`;
const entryOf = (id: string, seed: number): Entry => ({
  id,
  modality: 'image',
  vector: blockVector(seed),
  metadata: { seed },
});

/** Runs statements as the owner of the server. */
const run = (...statements: string[]) => runSql(to, ...statements);

async function using<T>(
  place: string,
  work: (gallery: Gallery) => Promise<T>,
  model: ModelStamp | null = STAMP,
): Promise<T> {
  const gallery = await openDatabaseGallery(place, model);
  try {
    return await work(gallery);
  } finally {
    await gallery.close();
  }
}

/** As `assertFails`; and the message does not tell the password. */
async function fails(work: Promise<unknown>, code: string, ...says: RegExp[]): Promise<void> {
  const password = new URL(server.url).password;
  const silent = password === 'postgres' ? [] : [new RegExp(`^((?!${password}).)*$`, 's')];
  await assertFails(work, code, ...says, ...silent);
}

const count = async (gallery: Gallery): Promise<number> => (await gallery.info()).images;

const test = suite('gallery on a server');
test.after(() => server.remove());

test('a server that is not there, refuses, or has no such database', async () => {
  await fails(
    openDatabaseGallery(`postgres://romo:x@127.0.0.1:${await freePort()}/a`, STAMP),
    'database',
    /no server answers/,
  );
  for (const url of ['postgres://[', 'mysql://a', 'pglite:', `${to}?schema=`, `${to}?schema=${'x'.repeat(64)}`]) {
    await fails(openDatabaseGallery(url, STAMP), 'option');
  }
  if (!server.isReal) return; // PGlite accepts every user
  const wrong = to.replace(/:[^:@]*@/, ':wrong@');
  await fails(openDatabaseGallery(wrong, STAMP), 'database', /refused.*romo/, /PGPASSWORD/);
  await fails(openDatabaseGallery(to.replace(/:[^:@]*@/, '@'), STAMP), 'database', /refused/);
  await fails(openDatabaseGallery(`${server.url}/nothing`, STAMP), 'database', /"nothing" does not exist/, /createdb/);
  await run('create role reader login password $$r$$');
  const reader = to.replace(/romo:[^:@]*@/, 'reader:r@');
  await fails(openDatabaseGallery(`${reader}?schema=theirs`, STAMP), 'database', /permission denied/);
});

test('a database without pgvector is told how to install it', async () => {
  const database = await PGlite.create();
  const port = await freePort();
  const bare = new PGLiteSocketServer({ db: database, port, host: '127.0.0.1', maxConnections: 4 });
  await bare.start();
  try {
    const place = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`;
    await fails(
      openDatabaseGallery(place, STAMP),
      'database',
      /has no pgvector/,
      /apt-get install postgresql-\d+-pgvector/,
    );
  } finally {
    await bare.stop();
    await database.close();
  }
  if (!server.isReal) return;
  // Its owner has not created the extension, and this user may not.
  await run('create role maker login password $$m$$', 'create database bare');
  const maker = `${server.url}/bare`.replace(/romo:[^:@]*@/, 'maker:m@');
  await fails(openDatabaseGallery(maker, STAMP), 'database', /no pgvector \(permission denied/, /As superuser/);
});

test('a package that is missing is named', async () => {
  const name = 'romo-package-that-is-not-there';
  const cause = await import(name).catch((error) => error);
  const error = explainPackage('postgres:', 'pg', cause) as RomoError;
  assert.is(error.code, 'package');
  assert.match(error.message, /npm install pg/);
});

test('an empty gallery answers nothing; one that is not there is not a gallery', async () => {
  await fails(openDatabaseGallery(`${to}?schema=nowhere`, null), 'gallery', /there is not a gallery.*nowhere/);
  await using(`${to}?schema=empty`, async (gallery) => {
    assert.equal(await gallery.search(blockVector(1), { top: 5 }), [[]]);
    assert.equal(await gallery.present(['a', '\0', '\uD800'], 'image'), new Map());
    assert.is(await gallery.remove(['a', '\0']), 0);
    await gallery.upsert([]);
    assert.is(await count(gallery), 0);
  });
  await using(`${to}?schema=empty`, async (gallery) => assert.equal(gallery.model, STAMP), null);
});

test('bad vectors, texts and questions change nothing', async () => {
  const place = `${to}?schema=bad`;
  await using(place, async (gallery) => {
    const good = entryOf('good', 1);
    const nan = blockVector(2);
    nan[3] = Number.NaN;
    await fails(gallery.upsert([good, { ...good, id: 'b', vector: nan }]), 'not-finite');
    await fails(gallery.upsert([good, { ...good, id: 'b', vector: new Float32Array(8) }]), 'shape');
    await fails(gallery.upsert([good, good]), 'gallery', /twice/);
    await fails(gallery.upsert([good, entryOf('a\0b', 2)]), 'gallery', /cannot store/);
    await fails(gallery.upsert([good, { ...good, id: 'b', metadata: { a: '\uDC00' } }]), 'gallery', /cannot store/);
    await fails(gallery.search(new Float32Array(8), { top: 1 }), 'shape');
    await fails(gallery.search(nan, { top: 1 }), 'not-finite');
    await fails(gallery.search(blockVector(1), { top: 0 }), 'shape');
    await fails(gallery.search(blockVector(1), { top: 1, efSearch: 10 }), 'gallery', /no HNSW index/);
    const where = { kind: 'compare', field: 'a', operator: '=', value: '\0' } as const;
    await fails(gallery.search(blockVector(1), { top: 1, where }), 'gallery', /filter.*cannot store/);
    assert.is(await count(gallery), 0);
  });
  await fails(openDatabaseGallery(place, { ...STAMP, sha256: 'b'.repeat(64) }), 'gallery', /was made by the model/);
  await fails(openDatabaseGallery(place, { ...STAMP, dimension: 8 }), 'gallery', /was made by the model/);
  const closed = await openDatabaseGallery(place, STAMP);
  await closed.close();
  await closed.close();
  await fails(closed.info(), 'closed');
});

test('a schema may have any name, and stays a name', async () => {
  const names = ['a"; drop schema empty cascade; --', "it's", '%I', 'Ä B', 'select', 'UPPER', 'upper'];
  for (const [i, name] of names.entries()) {
    await using(`${to}?schema=${encodeURIComponent(name)}`, (gallery) => gallery.upsert([entryOf(name, i)]));
  }
  for (const [i, name] of names.entries()) {
    const answers = await using(
      `${to}?schema=${encodeURIComponent(name)}`,
      (g) => g.search(blockVector(i), { top: 2 }),
      null,
    );
    assert.equal(
      answers[0].map(({ id }) => id),
      [name],
    );
  }
  const rows = await run("select 1 from pg_namespace where nspname = 'empty'");
  assert.is(rows.length, 1);
});

test('many begin a gallery, and write the same entries, at the same time', async () => {
  const place = `${to}?schema=together`;
  const galleries = await Promise.all([1, 2, 3, 4].map(() => openDatabaseGallery(place, STAMP)));
  const ids = Array.from({ length: 1200 }, (_, i) => `${i}`);
  await Promise.all(
    galleries.map((gallery, i) => gallery.upsert((i % 2 ? ids : [...ids].reverse()).map((id) => entryOf(id, i)))),
  );
  assert.is(await count(galleries[0]), ids.length);
  for (const gallery of galleries) await gallery.close();
});

test('an index: exact stays exact, approximate finds nearly all, filters are kept', async () => {
  const gallery = await openDatabaseGallery(`${to}?schema=indexed`, STAMP);
  const entries = Array.from(
    { length: 2000 },
    (_, i): Entry => ({ ...entryOf(`${i}`, i), metadata: { third: i % 3 } }),
  );
  await gallery.upsert(entries.slice(0, 1500));
  const query = Float32Array.from({ length: 16 }, (_, i) => (i + 1) / Math.sqrt(1496)); // only equal vectors tie
  await gallery.buildIndex();
  await gallery.buildIndex();
  await gallery.upsert(entries.slice(1500));
  assert.match((await gallery.info()).storage, /HNSW/);
  const [exact] = await gallery.search(query, { top: 20 });
  const similarity = ({ vector }: Entry) => vector.reduce((sum, x, i) => sum + x * query[i], 0);
  const best = entries.map(similarity).sort((a, b) => b - a);
  for (const [i, answer] of exact.entries()) assert.ok(Math.abs(answer.similarity - best[i]) < 1e-6);
  const [approximate] = await gallery.search(query, { top: 20, efSearch: 200 });
  const close = approximate.filter((answer) => answer.similarity > best[19] - 1e-6);
  assert.ok(close.length >= 18, `${close.length} of 20`);
  const where = { kind: 'compare', field: 'third', operator: '=', value: 2 } as const;
  const [filtered] = await gallery.search(query, { top: 50, efSearch: 10, where });
  assert.is(filtered.length, 50);
  assert.ok(filtered.every(({ metadata }) => metadata.third === 2));
  await fails(gallery.search(query, { top: 1, efSearch: 0.5 }), 'option', /efSearch/);
  await fails(gallery.buildIndex({ m: 1 }), 'option', /m is 1/);
  await gallery.close();
});

test('Citus, where it is there, is asked to spread the entries', async () => {
  // Citus is not available here. A function with its signature and a row in the list of extensions replace it.
  await run(
    'create table citus_calls (name text, by text)',
    `create function create_distributed_table(table_name regclass, distribution_column text,
      distribution_type text default 'hash', colocate_with text default 'default', shard_count int default null)
      returns void language sql as $$ insert into citus_calls values (table_name::text, distribution_column) $$`,
    `insert into pg_extension select 99999, 'citus', 10, oid, false, '13.0', null, null from pg_namespace where nspname = 'public'`,
  );
  try {
    const gallery = await openDatabaseGallery(`${to}?schema=spread`, STAMP);
    await gallery.upsert([entryOf('a', 1)]);
    assert.match((await gallery.info()).storage, /Citus/);
    assert.is((await gallery.search(blockVector(1), { top: 1 }))[0][0].id, 'a');
    await gallery.close();
    assert.equal(await run('select * from citus_calls'), [{ name: 'spread.entries', by: 'id' }]);
  } finally {
    await run("delete from pg_extension where extname = 'citus'");
  }
});

if (server.isReal) {
  const many = (seed: number): Entry[] => Array.from({ length: 20_000 }, (_, i) => entryOf(`${i}`, seed));

  /** Upserts, and calls `crash` while rows are being written. */
  async function interrupted(gallery: Gallery, entries: readonly Entry[]): Promise<{ whole: Promise<void> }> {
    let isDone = false;
    const whole = gallery.upsert(entries).then(() => {
      isDone = true;
    });
    whole.catch(() => {}); // the caller handles it later
    const watch = "select 1 from pg_stat_activity where query like 'insert into%entries%' and pid <> pg_backend_pid()";
    while (!isDone && (await run(watch)).length === 0) await sleep(5);
    await server.crash();
    assert.not.ok(isDone, 'the insert ended before the server did');
    return { whole };
  }

  test('the server crashes in an insert and comes back: the insert goes on by itself', async () => {
    const gallery = await openDatabaseGallery(`${to}?schema=crash`, STAMP);
    await gallery.upsert([entryOf('before', 1)]);
    const { whole } = await interrupted(gallery, many(2));
    await server.start();
    await whole;
    assert.is(await count(gallery), 20_001);
    await gallery.close();
  });

  test('the server crashes in an insert and stays down: nothing is half-written, and the same call goes on', async () => {
    const gallery = await openDatabaseGallery(`${to}?schema=down`, STAMP);
    await gallery.upsert([entryOf('before', 1)]);
    const { whole } = await interrupted(gallery, many(2));
    await fails(whole, 'database', /connection is lost/, /nothing is half-written/);
    await fails(gallery.remove(['before']), 'database', /connection is lost/);
    await server.start();
    assert.is(await count(gallery), 1);
    await gallery.upsert(many(2).slice(0, 3000));
    assert.is(await count(gallery), 3001);
    await gallery.close();
  });
}

test.run();

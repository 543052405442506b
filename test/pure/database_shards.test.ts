/**
 * A gallery over several Postgres servers answers as one on a single server does; order and limit go to the shards; a
 * shard that is down loses nothing; one that is added takes over entries while searches go on. Needs real servers:
 * PGlite has no postgres_fdw.
 */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseFilter } from '../../src/search/filter.ts';
import type { Entry, SearchOptions } from '../../src/search/gallery.ts';
import { type DatabaseGallery, openDatabaseGallery } from '../../src/search/postgres/database.ts';
import { listShards, type Shard, searchShards } from '../../src/search/postgres/shards_sql.ts';
import { findPostgres } from '../../tools/postgres.mjs';
import { type Server, startServer } from '../../tools/postgres_server.ts';
import { hashUniform } from '../support/fixture.ts';
import { blockVector, checkSources, fails, STAMP } from '../support/gallery.ts';
import { runSql } from '../support/sql.ts';

const OBJECTS = 10_000;
const gallery = suite('gallery over several servers');
const test = findPostgres() ? gallery : gallery.skip;
const servers: Server[] = [];
let to: string;
let shards: string[];
let one: DatabaseGallery;
let many: DatabaseGallery;

const draws = hashUniform('shards', (OBJECTS + 100) * STAMP.dimension);
/** Vectors of eight directions and noise. */
function vectorOf(number: number): Float32Array {
  const own = draws.slice(number * 16, (number + 1) * 16).map((draw, i) => draw + (i % 8 === number % 8 ? 3 : 0));
  return Float32Array.from(own, (value) => value / Math.hypot(...own));
}

const entryOf = (number: number): Entry => ({
  id: `o${number}`,
  modality: number % 2 ? 'image' : 'points',
  source: number % 5 ? 'a' : "b's",
  hash: `hash ${number}`,
  vector: vectorOf(number),
  metadata: { category: `c${number % 7}`, size: number },
});
const all = Array.from({ length: OBJECTS }, (_, number) => entryOf(number));
const queries = Float32Array.from([1, 2, 3].flatMap((i) => [...vectorOf(OBJECTS + i)]));

/** Both galleries give the same answers. */
async function same(options: SearchOptions): Promise<void> {
  const [expected, found] = [await one.search(queries, options), await many.search(queries, options)];
  assert.equal(found, expected, JSON.stringify(options));
  assert.ok(found.every((answers) => answers.length > 0));
}

gallery.before(async () => {
  if (!findPostgres()) return;
  for (let i = 0; i < 3; i++) servers.push(await startServer());
  to = `${servers[0].url}/postgres`;
  await runSql(to, 'create database part');
  shards = [`${servers[0].url}/part`, `${servers[1].url}/postgres`];
  one = await openDatabaseGallery(`${to}?schema=one`, STAMP);
  many = await openDatabaseGallery(`${to}?schema=it's "M"`, STAMP, { shards });
});
gallery.after(async () => {
  await one?.close();
  await many?.close();
  for (const server of servers) await server.remove();
});

test('sources, hashes and removal are as on one server', () => checkSources(many));

test('it answers as one server, with and without conditions', async () => {
  for (const each of [one, many]) {
    await each.upsert(all);
    await each.upsert(all.slice(0, 700).map((entry) => ({ ...entry, metadata: { size: -1 }, hash: 'new' })));
    assert.is(await each.remove(['o9001', 'o9002', 'o9005', 'nobody'], 'a'), 2);
  }
  const [expected, info] = [await one.info(), await many.info()];
  assert.equal([info.images, info.points, info.sources], [expected.images, expected.points, expected.sources]);
  assert.match(info.storage, /over 127\.0\.0\.1:\d+\/part, 127\.0\.0\.1:\d+\/postgres; exact search$/);
  await same({ top: 10 });
  await same({ top: 1500 });
  await same({ top: 7, modality: 'image', source: "b's" });
  for (const where of [
    "category in ('c1', 'c2') and not size < 300",
    'category is null',
    "size = 17 or category > 'c5'",
  ]) {
    await same({ top: 20, where: parseFilter(where) });
  }
  const ids = ['o1', 'o701', 'o9001', 'nobody'];
  assert.equal(await many.present(ids, 'image', 'a'), await one.present(ids, 'image', 'a'));
  assert.equal((await many.ids("b's")).sort(), (await one.ids("b's")).sort());
});

test('order, limit and conditions go to the shards, which work at the same time', async () => {
  const schema = `it's "M"`;
  const listed = (await runSql(to, listShards(schema))) as unknown as Shard[];
  const planOf = async (conditions: string[]) => {
    const text = searchShards(schema, 'f32', listed, conditions, true)
      .replaceAll('$1', `'[${vectorOf(1)}]'`)
      .replaceAll('$2', '10');
    const rows = await runSql(to, 'set enable_sort = off', `explain (verbose, costs off) ${text}`);
    return rows.map((row) => String(row['QUERY PLAN'])).join('\n');
  };
  for (const conditions of [[], ["modality = 'image'", "metadata @@ '$.size > 3'::jsonpath"]]) {
    const plan = await planOf(conditions);
    assert.is(plan.match(/Async Foreign Scan/g)?.length, 2, plan);
    assert.is(plan.match(/Remote SQL: .*ORDER BY .*<=>.* LIMIT 10/g)?.length, 2, plan);
    if (conditions.length > 0) assert.is(plan.match(/Remote SQL: .*WHERE .*modality = 'image'.*@@/g)?.length, 2, plan);
  }
});

test('every shard has an index of its own', async () => {
  await fails(many.search(queries, { top: 1, efSearch: 10 }), 'gallery', /no HNSW index/);
  await many.buildIndex();
  assert.match((await many.info()).storage, /HNSW/);
  await same({ top: 10 });
  const scans = async () => {
    const text =
      "select coalesce(sum(idx_scan), 0)::int as count from pg_stat_user_indexes where indexrelname = 'entries_hnsw'";
    return Promise.all(
      shards.map(async (shard) => (await runSql(shard, 'select pg_stat_clear_snapshot()', text))[0].count),
    );
  };
  assert.equal(await scans(), [0, 0], 'exact search does not use it');
  const where = parseFilter("category = 'c3'");
  for (const options of [{ top: 10 }, { top: 10, where }]) {
    const exact = await one.search(queries, options);
    const found = await many.search(queries, { ...options, efSearch: 400 });
    found.forEach((answers, i) => {
      const ids = new Set(exact[i].map(({ id }) => id));
      assert.ok(answers.filter(({ id }) => ids.has(id)).length >= 9, `${answers.map(({ id }) => id)}`);
    });
  }
});

test('a shard that is down is named, and nothing is lost', async () => {
  await servers[1].crash();
  const port = new URL(servers[1].url).port;
  const says = [/connection is lost/, new RegExp(`port ${port}`)];
  await Promise.all([
    fails(many.search(queries, { top: 1 }), 'database', ...says),
    fails(many.upsert(all.slice(0, 50).map((entry) => ({ ...entry, hash: 'lost' }))), 'database', ...says),
  ]);
  await servers[1].start();
  assert.equal((await many.info()).sources, (await one.info()).sources);
  await same({ top: 50 });
  const ids = all.slice(0, 50).map(({ id }) => id);
  assert.not.ok([...(await many.present(ids, 'image', 'a')).values()].includes('lost'));
});

test('a shard that is added takes over entries, and no search misses one', async () => {
  const more = [...shards, `${servers[2].url}/postgres`];
  let isDone = false;
  const added = openDatabaseGallery(`${to}?schema=it's "M"`, null, { shards: more }).finally(() => {
    isDone = true;
  });
  added.catch(() => {}); // awaited below
  let searches = 0;
  const [expected] = await one.search(queries.subarray(0, 16), { top: 3000, source: "b's" });
  for (; !isDone || searches < 2; searches++) {
    const [found] = await many.search(queries.subarray(0, 16), { top: 3000, source: "b's" });
    assert.equal(found, expected);
  }
  await (await added).close();
  const counts = await Promise.all(
    more.map(async (shard) => Number((await runSql(shard, 'select count(*) from "it\'s ""M""".entries'))[0].count)),
  );
  assert.is(
    counts.reduce((sum, count) => sum + count),
    OBJECTS - 2,
  );
  assert.ok(
    counts.every((count) => count > 2000),
    `${counts}`,
  );
  await many.upsert([{ ...entryOf(OBJECTS + 50), id: 'late' }]);
  assert.is(await many.remove(['late'], "b's"), 1);
  await same({ top: 20, modality: 'points' });
  assert.match((await many.info()).storage, /HNSW/);
  assert.is((await many.search(queries, { top: 10, efSearch: 100 }))[0].length, 10);
});

test('f16: the same answers of numbers that halves can store', async () => {
  const exact = Array.from({ length: 500 }, (_, i): Entry => ({ ...entryOf(i), vector: blockVector(i) }));
  const found = [];
  for (const [schema, options] of [
    ['floats', {}],
    ['halves', { numbers: 'f16' }],
    ['halves "2"', { numbers: 'f16', shards }],
  ] as const) {
    const made = await openDatabaseGallery(`${to}?schema=${schema}`, STAMP, options);
    await made.upsert(exact);
    const kind = 'numbers' in options ? 'f16' : 'f32';
    assert.match((await made.info()).storage, new RegExp(`pgvector [\\d.]+, ${kind}`));
    found.push(await made.search(blockVector(7), { top: 40, where: parseFilter('size < 400') }));
    await made.buildIndex();
    assert.is((await made.search(blockVector(7), { top: 5, efSearch: 100 }))[0][0].similarity, 1);
    await made.close();
  }
  assert.equal(found[1], found[0]);
  assert.equal(found[2], found[0]);
  const text =
    "select format_type(atttypid, atttypmod) as type from pg_attribute where attname = 'vector' and attrelid = ";
  assert.equal(await runSql(to, `${text} 'halves.entries'::regclass`), [{ type: 'halfvec(16)' }]);
  await fails(openDatabaseGallery(`${to}?schema=halves`, STAMP, { numbers: 'f32' }), 'gallery', /stores f16, not f32/);
});

test('what cannot be a shard is refused', async () => {
  const place = `${to}?schema=other`;
  const opened = (shard: string[], at = place) => openDatabaseGallery(at, STAMP, { shards: shard });
  await fails(opened([to]), 'gallery', /database of the gallery itself/);
  await fails(opened(shards, `${to}?schema=one`), 'gallery', /is on one server/);
  await fails(opened(shards, 'pglite:memory://'), 'option', /only a gallery on a server has shards/);
  await fails(opened(['postgres://127.0.0.1/part']), 'option', /has no user/);
  await fails(opened(['postgres://romo:x@127.0.0.1:1/part']), 'database', /shard 127.0.0.1:1\/part: no server answers/);
  await fails(opened([shards[0]], `${to}?schema=it's "M"`), 'option', /also has entries on 127/);
  await runSql(shards[1], 'create schema other', "create table other.entries as select 'a' as id");
  await fails(opened(shards), 'gallery', /has entries of another gallery/);
});

test('the statements of docs/search.md make such a gallery', async () => {
  const text = readFileSync('docs/search.md', 'utf8').replaceAll('vector(128)', 'vector(16)');
  const [onShard, onFirst] = [...text.matchAll(/```sql\n(.*?)```/gs)].map(([, block]) => block);
  const split = onFirst.indexOf('create server');
  const { password, port } = new URL(servers[1].url);
  const preparation = JSON.stringify({ up: 'z' });
  await runSql(to, 'create database docs');
  const docs = `${servers[0].url}/docs`;
  const begin = onFirst
    .slice(0, split)
    .replace("'...'", `'${STAMP.sha256}'`)
    .replace('128', '16')
    .replace('{...}', preparation);
  await runSql(docs, begin.replace("'rdl', 128", "'rdl', 16"));
  for (const number of [0, 1]) {
    await runSql(`${servers[1].url}/postgres`, `create database docs${number}`);
    await runSql(`${servers[1].url}/docs${number}`, onShard);
    const own = onFirst
      .slice(split)
      .replaceAll(/(gallery|entries|settings)_0/g, `$1_${number}`)
      .replace('remainder 0', `remainder ${number}`)
      .replace(
        "values (0, 'b:5432/shapes', 2, 0)",
        `values (${number}, '127.0.0.1:${port}/docs${number}', 2, ${number})`,
      )
      .replace("host 'b', port '5432', dbname 'shapes'", `host '127.0.0.1', port '${port}', dbname 'docs${number}'`)
      .replace('PASSWORD', password);
    await runSql(docs, own);
  }
  const made = await openDatabaseGallery(docs, { ...STAMP, preparation: { up: 'z' } });
  await made.upsert(all.slice(0, 100));
  await made.upsert(all.slice(0, 100));
  assert.is((await made.info()).images, 50);
  assert.is((await made.search(vectorOf(7), { top: 1 }))[0][0].id, 'o7');
  assert.is(await made.remove(['o7'], 'a'), 1);
  await made.buildIndex();
  assert.is((await made.search(queries, { top: 10, efSearch: 50 }))[0].length, 10);
  await made.close();
});

gallery.run();

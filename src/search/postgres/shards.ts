/** Creates the shards of a gallery over several servers, and adds some later. The statements are in shards_sql.ts. */
import { connectPostgres } from '#postgres';
import { RomoError } from '../../tensor/error.ts';
import { type Connection, createExtension, explain, type Query } from './connection.ts';
import * as shardsSql from './shards_sql.ts';
import { placeOf, type Shard } from './shards_sql.ts';
import * as sql from './sql.ts';

/** Ids per statement that deletes what was copied. */
const PORTION = 10_000;

export const shardsOf = async (query: Query, schema: string): Promise<Shard[]> =>
  (await query(shardsSql.listShards(schema))) as unknown as Shard[];

/** Runs `work` on a shard itself. @throws RomoError `database` that names the shard */
async function onShard(url: URL, work: (query: Query) => Promise<void>): Promise<void> {
  const connection = await connectPostgres(url);
  try {
    await connection.transaction(work);
  } catch (cause) {
    throw explain(`shard ${placeOf(url)}`, cause, true);
  } finally {
    await connection.close();
  }
}

/** Prepares a server to store entries. */
const prepare = (url: URL, schema: string, vectors: sql.Vectors): Promise<void> =>
  onShard(url, async (query) => {
    const [{ free }] = await query(sql.TRY_LOCK_CREATION);
    if (!free) {
      const problem = `the shard ${placeOf(url)} is the database of the gallery itself, or another program creates a gallery in it`;
      throw new RomoError('gallery', problem, 'Choose another database, which may be on the same server.');
    }
    const [{ entries }] = await query(sql.FIND, [schema]);
    if (entries !== null) {
      const [row] = await query(`select 1 from ${entries} limit 1`);
      const fix = `Choose other servers, or another schema than ${schema}.`;
      if (row) throw new RomoError('gallery', `the shard ${placeOf(url)} has entries of another gallery`, fix);
    }
    await createExtension(placeOf(url), query);
    for (const statement of shardsSql.createShard(schema, vectors)) await query(statement);
  });

/** Creates a gallery's tables over several servers; its model is there. */
export async function createShards(query: Query, schema: string, vectors: sql.Vectors, urls: readonly URL[]) {
  const [{ entries }] = await query(sql.FIND, [schema]);
  if (entries !== null) return; // another program was faster
  for (const url of urls) await prepare(url, schema, vectors);
  for (const statement of shardsSql.createParent(schema, vectors)) await query(statement);
  for (const [number, url] of urls.entries()) {
    for (const statement of shardsSql.connectShard(schema, vectors, number, url)) await query(statement);
    await note(query, schema, { number, place: placeOf(url), modulus: urls.length, remainder: number, indexed: false });
  }
}

async function note(query: Query, schema: string, shard: Shard): Promise<void> {
  const { number, place, modulus, remainder, indexed } = shard;
  await query(shardsSql.attachShard(schema, shard));
  await query(shardsSql.noteShard(schema), [number, place, modulus, remainder, indexed]);
}

/** Adds those of the servers that are not shards yet, one after the other. */
export async function addShards(connection: Connection, schema: string, vectors: sql.Vectors, urls: readonly URL[]) {
  if (urls.length === 0) return;
  const known = await connection.transaction((query) => shardsOf(query, schema));
  const missing = known.filter(({ place }) => !urls.some((url) => placeOf(url) === place));
  if (missing.length > 0) {
    const places = missing.map(({ place }) => place).join(', ');
    throw new RomoError(
      'option',
      `the gallery also has entries on ${places}`,
      'Name all its shards, and new ones after them.',
    );
  }
  const places = new Set(known.map(({ place }) => place));
  for (const url of urls) if (!places.has(placeOf(url))) await add(connection, schema, vectors, url);
}

/**
 * Adds a shard, which takes over half of the largest share. Searches continue: they wait only for the last step, in
 * which the copied entries are deleted at their old place. Writers wait. If it is interrupted, it can be repeated.
 */
async function add(connection: Connection, schema: string, vectors: sql.Vectors, url: URL): Promise<void> {
  await connection.transaction(async (query) => {
    await query(sql.LOCK_CREATION);
    await query(shardsSql.stopWriters(schema));
    const shards = await shardsOf(query, schema);
    if (shards.some(({ place }) => place === placeOf(url))) return; // another program was faster
    const number = shards.length;
    const old = shards.reduce((least, shard) => (shard.modulus < least.modulus ? shard : least));
    const kept = { ...old, modulus: 2 * old.modulus };
    const shard: Shard = { ...kept, number, place: placeOf(url), remainder: old.remainder + old.modulus };
    // In a transaction of its own: the copies are safe before anything is deleted.
    await connection.transaction(async (apart) => {
      const [begun] = await apart(shardsSql.CREDENTIALS, [shardsSql.serverOf(schema, number)]);
      if (!begun) await prepare(url, schema, vectors);
      for (const statement of shardsSql.connectShard(schema, vectors, number, url)) await apart(statement);
    });
    await connection.transaction((apart) => apart(shardsSql.copyEntries(schema, old, shard)));
    if (old.indexed) await onShard(url, index(schema, vectors, 0, {}));
    await query(shardsSql.stopReaders(schema));
    await query(shardsSql.detachShard(schema, old));
    await note(query, schema, kept);
    for (let last: string | null = null; ; ) {
      const ids: string[] = (await query(shardsSql.someIds(schema, shard), [last, PORTION])).map(
        ({ id }) => id as string,
      );
      await query(shardsSql.deleteCopied(schema, old), [ids]);
      if (ids.length < PORTION) break;
      last = ids[ids.length - 1];
    }
    await note(query, schema, shard);
  });
}

const index =
  (schema: string, vectors: sql.Vectors, rows: number, options: sql.IndexOptions) =>
  async (query: Query): Promise<void> => {
    for (const statement of sql.createIndex(schema, vectors, rows, options)) await query(statement);
  };

/** Builds the index of a shard, over a connection to it. @param rows approximate number of its entries */
export async function indexShard(
  query: Query,
  schema: string,
  vectors: sql.Vectors,
  shard: Shard,
  rows: number,
  options: sql.IndexOptions,
): Promise<void> {
  const [found] = await query(shardsSql.CREDENTIALS, [shardsSql.serverOf(schema, shard.number)]);
  if (!found) {
    const who = `the index of shard ${shard.place} can be built by the user who added it`;
    throw new RomoError('database', who, 'Connect as this user.');
  }
  const given = new Map(
    (found.options as string[]).map((option) => /^([^=]*)=(.*)$/s.exec(option)?.slice(1) as [string, string]),
  );
  const url = new URL(`postgres://${shard.place}`);
  url.username = encodeURIComponent(given.get('user') ?? '');
  url.password = encodeURIComponent(given.get('password') ?? '');
  await onShard(url, index(schema, vectors, rows, options));
  await query(shardsSql.noteShard(schema), [shard.number, shard.place, shard.modulus, shard.remainder, true]);
}

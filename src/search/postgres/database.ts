/** Opens galleries in Postgres with pgvector: on a server, embedded, or over several servers. */
import { connectPostgres } from '#postgres';
import { RomoError } from '../../tensor/error.ts';
import type { ModelStamp, Numbers } from '../gallery.ts';
import { checkSameModel, checkSameNumbers } from '../stamp.ts';
import { type Connection, createExtension, explain, type Query } from './connection.ts';
import { connectPglite } from './pglite.ts';
import { type DatabaseGallery, type Found, PostgresGallery, vectorsOf } from './postgres_gallery.ts';
import { isStorable } from './postgres_text.ts';
import { addShards, createShards } from './shards.ts';
import * as sql from './sql.ts';

export type { DatabaseGallery } from './postgres_gallery.ts';

const SCHEMA = 'romo_gallery';

/** How a gallery in a database is stored. */
export interface DatabaseOptions {
  /**
   * Servers over which the entries are spread, each `postgres://USER:PASSWORD@HOST:PORT/DATABASE` as the server of the
   * gallery reaches it. One that is not there yet takes over half of another one's entries.
   */
  readonly shards?: readonly string[] | undefined;
  /** of a new gallery; default f32. f16 needs pgvector 0.7 or newer */
  readonly numbers?: Numbers | undefined;
}

/** Does the name mean a gallery in a database? For a folder of such a name, write `./NAME`. */
export const isDatabase = (to: string): boolean => /^(pglite|postgres|postgresql):/.test(to);

/**
 * Opens a gallery in a database, `pglite:PLACE` or `postgres://USER@HOST:PORT/DATABASE`, each with `?schema=NAME` if it
 * is not `romo_gallery`. A place is a folder, `idb://NAME` in a page, or `memory://`. The packages
 * `@electric-sql/pglite` and `@electric-sql/pglite-pgvector`, or `pg`, must be installed.
 * @param model whose embeddings come; where there is not a gallery yet, one is begun. null: it must be there
 * @param options for a new gallery, or to add shards
 * @throws RomoError `gallery` where there is none, or another model made it; `database` where the server is not
 *   reachable,
 *   refuses the user, or has no pgvector; `package` where one is missing; `option`
 */
export async function openDatabaseGallery(
  to: string,
  model: ModelStamp | null,
  { shards = [], numbers }: DatabaseOptions = {},
): Promise<DatabaseGallery> {
  const { place, schema } = parsePlace(to);
  const urls = shards.map((shard) => shardUrl(shard, typeof place !== 'string'));
  const connection = typeof place === 'string' ? await connectPglite(place) : await connectPostgres(place);
  try {
    const found = await begin(connection, schema, model, urls, numbers);
    if (found.isSharded) await addShards(connection, schema, vectorsOf(found), urls);
    return new PostgresGallery(connection, schema, found);
  } catch (cause) {
    await connection.close();
    throw explain(connection.name, cause, true);
  }
}

/** @returns place: the URL of a server, or the data directory for PGlite */
function parsePlace(to: string): { place: URL | string; schema: string } {
  if (to.startsWith('pglite:')) {
    const [, place, options] = /^pglite:([^?]*)\??(.*)$/s.exec(to) as string[];
    if (!place) throw new RomoError('option', `${to} names no folder`, 'Write pglite:FOLDER.');
    return { place, schema: schemaOf(to, new URLSearchParams(options)) };
  }
  if (!isDatabase(to) || !URL.canParse(to)) {
    throw new RomoError('option', 'the URL of the database is invalid', 'Write postgres://USER@HOST:PORT/DATABASE.');
  }
  const place = new URL(to);
  const schema = schemaOf(to, place.searchParams);
  place.searchParams.delete('schema');
  return { place, schema };
}

function shardUrl(shard: string, onServer: boolean): URL {
  const problem = onServer ? 'the URL of a shard is invalid or has no user' : 'only a gallery on a server has shards';
  const fix = 'Write --to postgres://... --shards postgres://USER:PASSWORD@HOST:PORT/DATABASE,...';
  if (!onServer || !isDatabase(shard) || !URL.canParse(shard) || !new URL(shard).username) {
    throw new RomoError('option', problem, fix);
  }
  return new URL(shard);
}

function schemaOf(to: string, options: URLSearchParams): string {
  const schema = options.get('schema') ?? SCHEMA;
  // Postgres truncates names to 63 bytes: two galleries could become one.
  if (schema && new TextEncoder().encode(schema).length <= 63 && isStorable(schema)) return schema;
  throw new RomoError(
    'option',
    `${to.split(':')[0]}: the schema ${JSON.stringify(schema)} is not a name`,
    'Use 1 to 63 bytes.',
  );
}

/** Finds the gallery or creates it. */
function begin(
  connection: Connection,
  schema: string,
  model: ModelStamp | null,
  shards: readonly URL[],
  asked: Numbers | undefined,
): Promise<Found> {
  return connection.transaction(async (query) => {
    const [{ entries, key, sharded, numbers }] = await query(sql.FIND, [schema]);
    if (entries === null) {
      if (!model) {
        throw new RomoError(
          'gallery',
          `there is not a gallery at ${connection.name}, schema ${schema}`,
          `Make it with node dist/search.js index RUN_DIR --to ${connection.name} first.`,
        );
      }
      await create(connection.name, query, schema, model, asked ?? 'f32', shards);
    } else if (!sharded && shards.length > 0) {
      throw new RomoError(
        'gallery',
        `${connection.name}, schema ${schema} is on one server`,
        'Index the collection into a new gallery with --shards.',
      );
    } else if (!sharded && sql.isOlder(key)) {
      await query(sql.LOCK_CREATION);
      const [now] = await query(sql.FIND, [schema]);
      if (sql.isOlder(now.key)) for (const statement of sql.renew(schema)) await query(statement);
    }
    const extensions = await query(sql.EXTENSIONS);
    const versionOf = (name: string) => extensions.find((row) => row.name === name)?.version;
    const [row] = (await query(sql.readModel(schema))) as unknown as ModelStamp[];
    if (!row)
      throw new RomoError('gallery', `${connection.name}: ${schema}.model is empty`, 'Index into a new schema.');
    const { preparation, ...rest } = row;
    const made: ModelStamp = preparation ? { ...rest, preparation } : rest;
    if (model) checkSameModel(connection.name, made, model);
    const stored = (entries === null ? (asked ?? 'f32') : numbers) as Numbers;
    checkSameNumbers(connection.name, stored, asked);
    const isSharded = sharded === true || (entries === null && shards.length > 0);
    return {
      model: made,
      numbers: stored,
      version: String(versionOf('vector')),
      hasCitus: versionOf('citus') !== undefined && !isSharded,
      isSharded,
    };
  });
}

async function create(
  name: string,
  query: Query,
  schema: string,
  model: ModelStamp,
  numbers: Numbers,
  shards: readonly URL[],
): Promise<void> {
  const vectors = { dimension: model.dimension, numbers };
  await query(sql.LOCK_CREATION);
  await createExtension(name, query);
  for (const statement of sql.createModel(schema)) await query(statement);
  await query(...sql.stampModel(schema, model));
  if (shards.length > 0) {
    await createShards(query, schema, vectors, shards);
    return;
  }
  await query(sql.createEntries(schema, vectors));
  const extensions = await query(sql.EXTENSIONS);
  if (extensions.some((row) => row.name === 'citus')) {
    await query(sql.DISTRIBUTE, [`${sql.quoted(schema)}.entries`]);
  }
}

/**
 * The SQL of a gallery over several servers, with what PostgreSQL itself has: `entries` is partitioned by hash of the id,
 * and its partitions are foreign tables (postgres_fdw), `entries_0`, `entries_1`, ..., on the servers that store them.
 * docs/search.md shows the same statements for an administrator.
 */
import type { Numbers } from '../gallery.ts';
import {
  columnsOf,
  countEntries,
  createEntries,
  literal,
  OR_REPLACE,
  quoted,
  type Settings,
  type Vectors,
  vectorOf,
} from './sql.ts';

/** One server of a gallery: it stores the entries whose hashed id leaves `remainder` when divided by `modulus`. */
export interface Shard {
  readonly number: number;
  /** HOST:PORT/DATABASE */
  readonly place: string;
  readonly modulus: number;
  readonly remainder: number;
  /** Has it an HNSW index? */
  readonly indexed: boolean;
}

/** Rows per message to and from a shard. */
const PER_INSERT = 500;
const PER_FETCH = 1_000;

export const placeOf = (url: URL): string => `${url.hostname}:${url.port || 5432}${url.pathname}`;
export const serverOf = (schema: string, number: number): string => `${schema}_${number}`;
const table = (schema: string, name: string, number: number): string => `${quoted(schema)}.${name}_${number}`;

/**
 * Statements for a shard. Two things do not reach it by themselves. `on conflict ... do update`: a trigger adds it to each
 * insert. And settings of a search: a trigger applies what is inserted into `settings`, until the transaction ends.
 */
export function createShard(schema: string, vectors: Vectors): string[] {
  const name = quoted(schema);
  const trigger = (on: string, body: string) => [
    `create or replace function ${name}.${on}_inserted() returns trigger language plpgsql as ${literal(`begin ${body}; return null; end`)}`,
    `create or replace trigger inserted before insert on ${name}.${on} for each row
      when (pg_trigger_depth() = 0) execute function ${name}.${on}_inserted()`,
  ];
  return [
    `create schema if not exists ${name}`,
    createEntries(schema, vectors),
    ...trigger('entries', `insert into ${name}.entries values (new.*) ${OR_REPLACE}`),
    `create table if not exists ${name}.settings (name text not null, value text not null)`,
    ...trigger('settings', 'perform set_config(new.name, new.value, true)'),
  ];
}

/** Statements for the server that is asked. */
export const createParent = (schema: string, vectors: Vectors): string[] => [
  'create extension if not exists postgres_fdw',
  `create table ${quoted(schema)}.shards (number integer primary key, place text not null unique,
    modulus integer not null, remainder integer not null, indexed boolean not null default false)`,
  `create table ${quoted(schema)}.entries (${columnsOf(vectors)}) partition by hash (id)`,
];

/** Makes a shard known, without entries yet. `options`: exact search unless a search says otherwise. */
export function connectShard(schema: string, vectors: Vectors, number: number, url: URL): string[] {
  const server = quoted(serverOf(schema, number));
  const options = (values: Readonly<Record<string, string>>) =>
    `options (${Object.entries(values)
      .map(([name, value]) => `${quoted(name)} ${literal(value)}`)
      .join(', ')})`;
  const [user, password] = [url.username, url.password].map(decodeURIComponent);
  const remote = (name: string) => `server ${server} ${options({ schema_name: schema, table_name: name })}`;
  return [
    `create server if not exists ${server} foreign data wrapper postgres_fdw ${options({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || '5432',
      dbname: decodeURIComponent(url.pathname.slice(1)),
      ...Object.fromEntries(url.searchParams),
      extensions: 'vector',
      async_capable: 'true',
      batch_size: String(PER_INSERT),
      fetch_size: String(PER_FETCH),
      options: '-c enable_indexscan=off',
    })}`,
    `create user mapping if not exists for current_user server ${server} ${options(password ? { user, password } : { user })}`,
    `create foreign table if not exists ${table(schema, 'entries', number)} (${columnsOf(vectors)}) ${remote('entries')}`,
    `create foreign table if not exists ${table(schema, 'settings', number)} (name text, value text) ${remote('settings')}`,
  ];
}

/** Gives a shard its part of the ids. */
export const attachShard = (schema: string, { number, modulus, remainder }: Shard): string =>
  `alter table ${quoted(schema)}.entries attach partition ${table(schema, 'entries', number)}
    for values with (modulus ${modulus}, remainder ${remainder})`;

export const detachShard = (schema: string, { number }: Shard): string =>
  `alter table ${quoted(schema)}.entries detach partition ${table(schema, 'entries', number)}`;

/** @param $1..$5 number, place, modulus, remainder, indexed */
export const noteShard = (schema: string): string =>
  `insert into ${quoted(schema)}.shards (number, place, modulus, remainder, indexed)
    values ($1::integer, $2::text, $3::integer, $4::integer, $5::boolean)
    on conflict (number) do update set modulus = excluded.modulus, indexed = excluded.indexed`;

/** Until the transaction ends, shards are neither added nor removed. */
export const listShards = (schema: string): string =>
  `select number, place, modulus, remainder, indexed from ${quoted(schema)}.shards order by number`;

/** How to reach a shard; only for the user who added it. @param $1 the foreign server */
export const CREDENTIALS = `select srvoptions || umoptions as options from pg_foreign_server
  join pg_user_mappings using (srvname) where srvname = $1::text and usename = current_user`;

/** Nobody writes until the transaction ends. */
export const stopWriters = (schema: string): string => `lock table ${quoted(schema)}.entries in exclusive mode`;
/** Nobody searches until the transaction ends. */
export const stopReaders = (schema: string): string => `lock table ${quoted(schema)}.shards in access exclusive mode`;

/**
 * Copies the entries of shard `from` that are to be those of `to`. `offset 0` keeps the condition here: the shard does not
 * know the partitioned table.
 */
export const copyEntries = (schema: string, from: Shard, to: Shard): string =>
  `insert into ${table(schema, 'entries', to.number)} select * from (select * from ${table(schema, 'entries', from.number)} offset 0) as old
    where satisfies_hash_partition(${literal(`${quoted(schema)}.entries`)}::regclass, ${to.modulus}, ${to.remainder}, id)`;

/** Ids of a shard, in portions. @param $1 the last id of the portion before, or null @param $2 how many */
export const someIds = (schema: string, { number }: Shard): string =>
  `select distinct id from ${table(schema, 'entries', number)} where $1::text is null or id > $1::text order by id limit $2::integer`;

/** @param $1 array of ids */
export const deleteCopied = (schema: string, { number }: Shard): string =>
  `delete from ${table(schema, 'entries', number)} where id = any($1::text[])`;

/**
 * Foreign tables have no statistics: without this, Postgres would sometimes fetch all rows and sort them here. The cost of
 * the sort that is left then looks so large that Postgres would compile it.
 */
export const SORT_ON_SHARDS: Settings = { enable_sort: 'off', jit: 'off' };

/** Settings for the searches of this transaction, on a shard. @param $1, $2 arrays of names and values */
export const setOn = (schema: string, { number }: Shard): string =>
  `insert into ${table(schema, 'settings', number)} select * from unnest($1::text[], $2::text[])`;

/** As `countEntries`: each server counts its own. */
export const countOnShards = (schema: string, shards: readonly Shard[]): string =>
  `select source, sum(images) as images, sum(points) as points
    from (${shards.map(({ number }) => countEntries(schema, `entries_${number}`)).join(' union all ')}) as counted group by source`;

/**
 * As `searchEntries`. Every server sorts and cuts its own answers, all at the same time (an asynchronous Append, which
 * `materialized` keeps from becoming a merge, which would ask one server after the other); these are sorted here. Asked of
 * `entries` itself, Postgres would have every server sort all of its entries.
 */
export function searchShards(
  schema: string,
  numbers: Numbers,
  shards: readonly Shard[],
  conditions: readonly string[],
  isExact: boolean,
): string {
  // Foreign tables have no statistics, and Postgres keeps the limit to itself where it expects few rows. It expects few
  // from any other form of a condition.
  const where = conditions.length > 0 ? `where case when ${conditions.join(' and ')} then true end` : '';
  const ties = ', id, modality, source';
  const best = shards.map(
    ({ number }) => `(select id, modality, source, metadata, vector <=> ${vectorOf(numbers)} as distance
      from ${table(schema, 'entries', number)} ${where}
      order by vector <=> ${vectorOf(numbers)}${isExact ? ties : ''} limit $2::integer)`,
  );
  return `with best as materialized (${best.join(' union all ')})
    select id, modality, source, metadata, 1 - distance as similarity from best order by distance${ties} limit $2::integer`;
}

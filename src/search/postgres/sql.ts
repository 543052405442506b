/**
 * The SQL of a gallery in Postgres with pgvector: the same for a server and for the embedded one. A gallery is a schema
 * of two tables. Values are always parameters; what cannot be one is an identifier, quoted, or an integer, checked.
 */
import { RomoError } from '../../tensor/error.ts';
import type { ModelStamp, Numbers } from '../gallery.ts';

/** Quotes an identifier. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Quotes a text, for statements that take no parameters. */
export const literal = (text: string): string =>
  `${text.includes('\\') ? ' E' : ''}'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

/** @throws RomoError `option` where a number that becomes part of a statement is not an integer of the range */
function integer(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RomoError('option', `${name} is ${value}`, `Give a whole number from ${least} to ${most}.`);
}

/** What pgvector calls vectors of each kind, and the longest that its HNSW index takes. halfvec: 0.7 and newer. */
const TYPES = { f32: { name: 'vector', indexed: 2_000 }, f16: { name: 'halfvec', indexed: 4_000 } } as const;
const MOST_DIMENSIONS = 16_000;

/** Casts a parameter to the gallery's type of vectors. */
export const vectorOf = (numbers: Numbers, parameter = '$1'): string => `${parameter}::${TYPES[numbers].name}`;

/** Lets one process at a time create the gallery: `if not exists` alone fails when two run it at once. */
export const LOCK_CREATION = "select pg_advisory_xact_lock(hashtext('romo gallery'))";
export const TRY_LOCK_CREATION = "select pg_try_advisory_xact_lock(hashtext('romo gallery')) as free";

/** The versions of the relevant extensions. */
export const EXTENSIONS =
  "select extname as name, extversion as version from pg_extension where extname in ('vector', 'citus')";

/**
 * The table of entries, null where there is not a gallery; `key`: its primary key; `sharded`: it is over several servers;
 * `numbers`: of its vectors.
 * @param $1 schema
 */
export const FIND = `select to_regclass(format('%I.entries', $1::text))::text as entries,
  to_regclass(format('%I.shards', $1::text)) is not null as sharded,
  (select case format_type(atttypid, null) when 'halfvec' then 'f16' else 'f32' end from pg_attribute
    where attrelid = to_regclass(format('%I.entries', $1::text)) and attname = 'vector') as numbers,
  (select pg_get_constraintdef(oid) from pg_constraint
    where conrelid = to_regclass(format('%I.entries', $1::text)) and contype = 'p') as key`;

const KEY = 'PRIMARY KEY (id, modality, source)';

/** Do the entries lack sources and hashes, because an older version made them? @param key of `FIND` */
export const isOlder = (key: unknown): boolean => key !== KEY;

/** Gives the entries of an older version the missing columns. They stay as they are, with neither source nor hash. */
export const renew = (schema: string): string[] => [
  `alter table ${quoted(schema)}.entries
    add column if not exists source text not null default '', add column if not exists hash text not null default ''`,
  `alter table ${quoted(schema)}.entries drop constraint if exists entries_pkey`,
  `alter table ${quoted(schema)}.entries add constraint entries_pkey ${KEY}`,
];

/** Does the gallery have a valid HNSW index? @param $1 schema */
export const HAS_INDEX = `select from pg_index join pg_class on pg_class.oid = indexrelid
  join pg_am on pg_am.oid = relam where indrelid = to_regclass(format('%I.entries', $1::text)) and amname = 'hnsw' and indisvalid`;

/** For Citus: distributes the entries over the nodes by id. @param $1 the table, a regclass as text */
export const DISTRIBUTE = "select create_distributed_table($1::regclass, 'id')";

/** For Citus: applies `set local` on its other nodes as well. */
export const PROPAGATE = "set local citus.propagate_set_commands = 'local'";

/** What the vectors of a gallery are. */
export interface Vectors {
  readonly dimension: number;
  readonly numbers: Numbers;
}

/** The columns of entries. Text is ordered by code points, on every server. */
export const columnsOf = ({ dimension, numbers }: Vectors): string =>
  `id text collate "C" not null, modality text collate "C" not null,
    vector ${TYPES[numbers].name}(${integer('dimension', dimension, 1, MOST_DIMENSIONS)}) not null, metadata jsonb not null,
    source text collate "C" not null default '', hash text not null default ''`;

/** Statements that create the table of a gallery's model. */
export const createModel = (schema: string): string[] => [
  `create schema if not exists ${quoted(schema)}`,
  `create table if not exists ${quoted(schema)}.model (
    only_row boolean primary key default true check (only_row),
    sha256 text not null, stage text not null, dimension integer not null, preparation jsonb)`,
];

export const createEntries = (schema: string, vectors: Vectors): string =>
  `create table if not exists ${quoted(schema)}.entries (${columnsOf(vectors)},
    check (modality in ('image', 'points')), ${KEY})`;

export function stampModel(schema: string, { sha256, stage, dimension, preparation }: ModelStamp): [string, unknown[]] {
  const text = `insert into ${quoted(schema)}.model (sha256, stage, dimension, preparation)
    values ($1, $2, $3::integer, $4::jsonb) on conflict do nothing`;
  return [text, [sha256, stage, dimension, preparation ? JSON.stringify(preparation) : null]];
}

/** `preparation` is null where it was not recorded; tables of earlier versions have no such column. */
export const readModel = (schema: string): string =>
  `select sha256, stage, dimension, to_jsonb(model) -> 'preparation' as preparation from ${quoted(schema)}.model`;

/** The entries per source. @param table quoted, of the schema */
export const countEntries = (schema: string, table = 'entries'): string =>
  `select source, count(*) filter (where modality = 'image') as images,
    count(*) filter (where modality = 'points') as points from ${quoted(schema)}.${table} group by source`;

/** @param $1..$6 arrays of strings: ids, modalities, vectors, metadata, sources, hashes */
export const insertEntries = (schema: string, numbers: Numbers): string =>
  `insert into ${quoted(schema)}.entries (id, modality, vector, metadata, source, hash)
    select id, modality, ${vectorOf(numbers, 'vector')}, metadata::jsonb, source, hash
    from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
      as given (id, modality, vector, metadata, source, hash)`;

/** The end of an insert that replaces entries. */
export const OR_REPLACE = `on conflict (id, modality, source)
  do update set vector = excluded.vector, metadata = excluded.metadata, hash = excluded.hash`;

/** @param $1 array of ids @param $2 source */
export const removeEntries = (schema: string): string =>
  `delete from ${quoted(schema)}.entries where id = any($1::text[]) and source = $2::text returning id`;

/** @param $1 array of ids @param $2 modality @param $3 source */
export const presentIds = (schema: string): string =>
  `select id, hash from ${quoted(schema)}.entries
    where id = any($1::text[]) and modality = $2::text and source = $3::text`;

/** @param $1 source */
export const idsOf = (schema: string): string =>
  `select distinct id from ${quoted(schema)}.entries where source = $1::text`;

/**
 * The nearest entries of one query. An index gives the order of distances only, so the caller sorts ties by id
 * through one; the exact search sorts them here.
 * @param $1 query @param $2 how many; further ones belong to `conditions`
 */
export function searchEntries(
  schema: string,
  numbers: Numbers,
  conditions: readonly string[],
  isExact: boolean,
): string {
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  const ties = isExact ? ', id collate "C", modality collate "C", source collate "C"' : '';
  return `select id, modality, source, metadata, 1 - (vector <=> ${vectorOf(numbers)}) as similarity from ${quoted(schema)}.entries
    ${where} order by vector <=> ${vectorOf(numbers)}${ties} limit $2::integer`;
}

/** Settings of a search, until the transaction ends. */
export type Settings = Readonly<Record<string, string>>;

/** `set local`, because Citus does not pass on `set_config`. */
export const setLocal = (settings: Settings): string[] =>
  Object.entries(settings).map(([name, value]) => `set local ${name} = ${literal(value)}`);

/** With an index, Postgres would answer an exact search approximately too. */
export const EXACT_SEARCH: Settings = { enable_indexscan: 'off' };

/** @param version of pgvector: from 0.8 on, an index scan continues until enough entries pass the condition */
export function approximateSearch(efSearch: number, version: string): Settings {
  const [major, minor] = version.split('.').map(Number);
  return {
    'hnsw.ef_search': String(integer('efSearch', efSearch, 1, 1000)),
    enable_indexscan: 'on',
    enable_seqscan: 'off', // otherwise a small table is scanned in full
    ...((major > 0 || minor >= 8) && { 'hnsw.iterative_scan': 'strict_order' }),
  };
}

/** Options of an HNSW index. Larger values find more and take longer. */
export interface IndexOptions {
  /** neighbours per entry and layer; default 16 */
  readonly m?: number | undefined;
  /** candidates during the build; default 64 */
  readonly efConstruction?: number | undefined;
}

/** @param rows approximate number of entries: a graph that fits in memory is built several times faster */
export function createIndex(
  schema: string,
  { dimension, numbers }: Vectors,
  rows: number,
  { m = 16, efConstruction = 64 }: IndexOptions,
): string[] {
  const { name, indexed } = TYPES[numbers];
  integer('the dimension of an HNSW index', dimension, 1, indexed);
  const links = integer('m', m, 2, 100);
  const candidates = integer('efConstruction', efConstruction, Math.max(4, 2 * links), 1000);
  const megabytes = Math.ceil((1.5 * rows * (4 * dimension + 32 * links)) / 2 ** 20);
  return [
    `set local maintenance_work_mem = '${Math.min(1024, Math.max(64, megabytes))}MB'`,
    `create index if not exists entries_hnsw on ${quoted(schema)}.entries
      using hnsw (vector ${name}_cosine_ops) with (m = ${links}, ef_construction = ${candidates})`,
  ];
}

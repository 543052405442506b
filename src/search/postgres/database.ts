/** A gallery in Postgres with pgvector, on a server or embedded. The statements are in sql.ts. */

import { connectPostgres } from '#postgres';
import { RomoError } from '../../tensor/error.ts';
import { orderOfTexts } from '../filter.ts';
import type {
  Answer,
  Entry,
  Gallery,
  GalleryInfo,
  GallerySource,
  Modality,
  ModelStamp,
  SearchOptions,
} from '../gallery.ts';
import { byRank, totals } from '../rank.ts';
import { checkSameModel } from '../stamp.ts';
import { checkEntries, checkVectors } from '../vectors.ts';
import { type Connection, explain, explainExtension, type Query, retried } from './connection.ts';
import { filterSql } from './filter_sql.ts';
import { connectPglite } from './pglite.ts';
import { checkText, isStorable } from './postgres_text.ts';
import * as sql from './sql.ts';

/** A gallery that can build an index for approximate search. */
export interface DatabaseGallery extends Gallery {
  /** Builds an HNSW index unless there is one; changes update it. Takes minutes for 10^5 entries. */
  buildIndex(options?: sql.IndexOptions): Promise<void>;
}

const SCHEMA = 'romo_gallery';
/** Entries per statement, so that its text has a few megabytes. */
const BATCH = 500;

/** Does the name mean a gallery in a database? For a folder of such a name, write `./NAME`. */
export const isDatabase = (to: string): boolean => /^(pglite|postgres|postgresql):/.test(to);

/**
 * Opens a gallery in a database, `pglite:PLACE` or `postgres://USER@HOST:PORT/DATABASE`, each with `?schema=NAME` if it
 * is not `romo_gallery`. A place is a folder, `idb://NAME` in a page, or `memory://`. The packages
 * `@electric-sql/pglite` and `@electric-sql/pglite-pgvector`, or `pg`, must be installed.
 * @param model whose embeddings come; where there is not a gallery yet, one is begun. null: it must be there
 * @throws RomoError `gallery` where there is none, or another model made it; `database` where the server is not
 *   reachable,
 *   refuses the user, or has no pgvector; `package` where one is missing; `option`
 */
export async function openDatabaseGallery(to: string, model: ModelStamp | null): Promise<DatabaseGallery> {
  const { place, schema } = parsePlace(to);
  const connection = typeof place === 'string' ? await connectPglite(place) : await connectPostgres(place);
  try {
    const found = await begin(connection, schema, model);
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

/** What opening a gallery finds out about it. */
interface Found {
  readonly model: ModelStamp;
  /** of pgvector */
  readonly version: string;
  readonly hasCitus: boolean;
}

/** Finds the gallery or creates it. */
function begin(connection: Connection, schema: string, model: ModelStamp | null): Promise<Found> {
  return connection.transaction(async (query) => {
    const [{ entries, key }] = await query(sql.FIND, [schema]);
    if (entries === null) {
      if (!model) {
        throw new RomoError(
          'gallery',
          `there is not a gallery at ${connection.name}, schema ${schema}`,
          `Make it with node dist/search.js index RUN_DIR --to ${connection.name} first.`,
        );
      }
      await create(connection.name, query, schema, model);
    } else if (sql.isOlder(key)) {
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
    return { model: made, version: String(versionOf('vector')), hasCitus: versionOf('citus') !== undefined };
  });
}

async function create(name: string, query: Query, schema: string, model: ModelStamp): Promise<void> {
  const [{ server_version: server }] = await query('show server_version');
  await query(sql.LOCK_CREATION);
  try {
    await query(sql.CREATE_EXTENSION);
  } catch (cause) {
    throw explainExtension(name, cause, String(server).split('.')[0]) ?? cause;
  }
  for (const statement of sql.createTables(schema, model.dimension)) await query(statement);
  await query(...sql.stampModel(schema, model));
  const extensions = await query(sql.EXTENSIONS);
  if (extensions.some((row) => row.name === 'citus')) {
    await query(sql.DISTRIBUTE, [`${sql.quoted(schema)}.entries`]);
  }
}

class PostgresGallery implements DatabaseGallery {
  readonly model: ModelStamp;
  private isClosed = false;

  constructor(
    private readonly connection: Connection,
    private readonly schema: string,
    private readonly found: Found,
  ) {
    this.model = found.model;
  }

  info(): Promise<GalleryInfo> {
    return this.run(async (query) => {
      const counts = await query(sql.countEntries(this.schema));
      const [index] = await query(sql.HAS_INDEX, [this.schema]);
      const { version, hasCitus } = this.found;
      const engine = `pgvector ${version}${hasCitus ? ', spread by Citus' : ''}`;
      const how = index ? 'exact search, or by its HNSW index' : 'exact search';
      return {
        model: this.model,
        ...totals(counts as unknown as GallerySource[]),
        storage: `${this.connection.name}, schema ${this.schema}, ${engine}; ${how}`,
      };
    });
  }

  async upsert(entries: readonly Entry[]): Promise<void> {
    checkEntries(entries, this.model.dimension);
    for (const { id, source = '', hash = '', metadata } of entries) {
      checkText('an id', id);
      checkText('a source', source);
      checkText('a hash', hash);
      for (const text of Object.entries(metadata).flat()) if (typeof text === 'string') checkText('metadata', text);
    }
    if (entries.length === 0) return;
    // All processes lock rows in the same order, so that no two deadlock.
    const sorted = [...entries].sort(
      (a, b) =>
        orderOfTexts(a.id, b.id) ||
        orderOfTexts(a.modality, b.modality) ||
        orderOfTexts(a.source ?? '', b.source ?? ''),
    );
    await this.run(async (query) => {
      for (let start = 0; start < sorted.length; start += BATCH) {
        const batch = sorted.slice(start, start + BATCH);
        await query(sql.upsertEntries(this.schema), [
          batch.map(({ id }) => id),
          batch.map(({ modality }) => modality),
          batch.map(({ vector }) => vectorText(vector)),
          batch.map(({ metadata }) => JSON.stringify(metadata)),
          batch.map(({ source = '' }) => source),
          batch.map(({ hash = '' }) => hash),
        ]);
      }
    });
  }

  remove(ids: readonly string[], source = ''): Promise<number> {
    // Never retried: if the first attempt succeeded and only its answer was lost, the second would count 0.
    const stored = ids.filter(isStorable);
    const work = async (query: Query) => (await query(sql.removeEntries(this.schema), [stored, source])).length;
    return this.run(work, false);
  }

  present(ids: readonly string[], modality: Modality, source = ''): Promise<Map<string, string>> {
    return this.run(async (query) => {
      const rows = await query(sql.presentIds(this.schema), [ids.filter(isStorable), modality, source]);
      return new Map(rows.map(({ id, hash }) => [id as string, hash as string]));
    });
  }

  ids(source = ''): Promise<string[]> {
    return this.run(async (query) => (await query(sql.idsOf(this.schema), [source])).map(({ id }) => id as string));
  }

  async search(queries: Float32Array, options: SearchOptions): Promise<Answer[][]> {
    const { top, efSearch } = options;
    if (!Number.isInteger(top) || top < 1) {
      throw new RomoError('shape', `search: top is ${top}`, 'Ask for at least one answer.');
    }
    const { dimension } = this.model;
    checkVectors('a query', queries, dimension);
    const { conditions, values } = conditionsOf(options);
    const text = sql.searchEntries(this.schema, conditions, efSearch === undefined);
    return this.run(async (query) => {
      if (this.found.hasCitus) await query(sql.PROPAGATE);
      for (const setting of await this.settings(query, efSearch)) await query(setting);
      const found: Answer[][] = [];
      for (let start = 0; start < queries.length; start += dimension) {
        const vector = vectorText(queries.subarray(start, start + dimension));
        const rows = (await query(text, [vector, top, ...values])) as unknown as Answer[];
        found.push(efSearch === undefined ? rows : rows.sort(byRank));
      }
      return found;
    });
  }

  buildIndex(options: sql.IndexOptions = {}): Promise<void> {
    return this.run(async (query) => {
      const counts = await query(sql.countEntries(this.schema));
      const rows = counts.reduce((sum, { images, points }) => sum + Number(images) + Number(points), 0);
      for (const statement of sql.createIndex(this.schema, this.model, rows, options)) await query(statement);
    });
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.connection.close();
  }

  private async settings(query: Query, efSearch: number | undefined): Promise<readonly string[]> {
    if (efSearch === undefined) return sql.SETTINGS_OF_EXACT_SEARCH;
    const settings = sql.settingsOfApproximateSearch(efSearch, this.found.version);
    const [index] = await query(sql.HAS_INDEX, [this.schema]);
    if (index) return settings;
    throw new RomoError(
      'gallery',
      `${this.connection.name}, schema ${this.schema} has no HNSW index for an approximate search`,
      'Build it once with buildIndex(), or search without efSearch, which is exact.',
    );
  }

  /** One transaction, retried if the connection is lost or another transaction conflicts. */
  private async run<T>(work: (query: Query) => Promise<T>, again = true): Promise<T> {
    const { name } = this.connection;
    if (this.isClosed) throw new RomoError('closed', `the gallery ${name} is closed`, 'Open it again.');
    const transaction = () => this.connection.transaction(work);
    try {
      return await (again ? retried(transaction) : transaction());
    } catch (cause) {
      throw explain(name, cause, false);
    }
  }
}

/** pgvector's text form; it keeps all bits of an f32. */
const vectorText = (vector: Float32Array): string => `[${vector.join(',')}]`;

function conditionsOf({ modality, source, where }: SearchOptions) {
  const conditions: string[] = [];
  const values: unknown[] = [];
  const next = () => 3 + values.length; // $1 and $2 are query and top
  if (modality !== undefined) {
    conditions.push(`modality = $${next()}::text`);
    values.push(modality);
  }
  if (source !== undefined) {
    conditions.push(`source = $${next()}::text`);
    values.push(source);
  }
  if (where !== undefined) {
    const condition = filterSql(where, next());
    conditions.push(condition.text);
    values.push(...condition.values);
  }
  return { conditions, values };
}

/** A gallery in Postgres with pgvector that is open: on one server, embedded, or over several servers. */
import { RomoError } from '../../tensor/error.ts';
import { orderOfTexts } from '../filter.ts';
import type { Answer, Entry, Gallery, GalleryInfo, Modality, ModelStamp, Numbers, SearchOptions } from '../gallery.ts';
import { byRank, totals } from '../rank.ts';
import { checkEntries, checkVectors } from '../vectors.ts';
import { type Connection, explain, type Query, retried } from './connection.ts';
import { filterPath } from './filter_path.ts';
import { checkText, isStorable } from './postgres_text.ts';
import { indexShard, shardsOf } from './shards.ts';
import * as shardsSql from './shards_sql.ts';
import * as sql from './sql.ts';

/** A gallery that can build an index for approximate search. */
export interface DatabaseGallery extends Gallery {
  /** Builds an HNSW index unless there is one; changes update it. Takes minutes for 10^5 entries. */
  buildIndex(options?: sql.IndexOptions): Promise<void>;
}

/** What opening a gallery finds out about it. */
export interface Found {
  readonly model: ModelStamp;
  readonly numbers: Numbers;
  /** of pgvector */
  readonly version: string;
  readonly hasCitus: boolean;
  /** Is it over several servers? */
  readonly isSharded: boolean;
}

export const vectorsOf = ({ model, numbers }: Found): sql.Vectors => ({ dimension: model.dimension, numbers });

/** Entries per statement, so that its text has a few megabytes. */
const BATCH = 500;

export class PostgresGallery implements DatabaseGallery {
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
      const { version, hasCitus } = this.found;
      const shards = await this.shards(query);
      const spread = shards
        ? `, over ${shards.map(({ place }) => place).join(', ')}`
        : hasCitus
          ? ', spread by Citus'
          : '';
      const how = (await this.hasIndex(query, shards)) ? 'exact search, or by its HNSW index' : 'exact search';
      return {
        model: this.model,
        ...totals(await this.counts(query, shards)),
        storage: `${this.connection.name}, schema ${this.schema}, pgvector ${version}, ${this.found.numbers}${spread}; ${how}`,
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
    const insert = sql.insertEntries(this.schema, this.found.numbers);
    const text = this.found.isSharded ? insert : `${insert} ${sql.OR_REPLACE}`; // shards replace by themselves
    await this.run(async (query) => {
      for (let start = 0; start < sorted.length; start += BATCH) {
        const batch = sorted.slice(start, start + BATCH);
        await query(text, [
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
    return this.run(async (query) => {
      const shards = await this.shards(query);
      await this.configure(query, shards, efSearch);
      const isExact = efSearch === undefined;
      const { numbers } = this.found;
      const text = shards
        ? shardsSql.searchShards(this.schema, numbers, shards, conditions, isExact)
        : sql.searchEntries(this.schema, numbers, conditions, isExact);
      const found: Answer[][] = [];
      for (let start = 0; start < queries.length; start += dimension) {
        const vector = vectorText(queries.subarray(start, start + dimension));
        const rows = (await query(text, [vector, top, ...values])) as unknown as Answer[];
        found.push(isExact ? rows : rows.sort(byRank));
      }
      return found;
    });
  }

  buildIndex(options: sql.IndexOptions = {}): Promise<void> {
    return this.run(async (query) => {
      const shards = await this.shards(query);
      const counts = await this.counts(query, shards);
      const rows = counts.reduce((sum, { images, points }) => sum + images + points, 0);
      if (shards) {
        const share = Math.ceil(rows / shards.length);
        await Promise.all(
          shards.map((shard) => indexShard(query, this.schema, vectorsOf(this.found), shard, share, options)),
        );
      } else
        for (const statement of sql.createIndex(this.schema, vectorsOf(this.found), rows, options))
          await query(statement);
    });
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.connection.close();
  }

  /** The servers of a gallery over several of them, which stay these until the transaction ends. */
  private shards(query: Query): Promise<shardsSql.Shard[] | null> {
    return this.found.isSharded ? shardsOf(query, this.schema) : Promise.resolve(null);
  }

  private async counts(query: Query, shards: readonly shardsSql.Shard[] | null) {
    const rows = await query(shards ? shardsSql.countOnShards(this.schema, shards) : sql.countEntries(this.schema));
    return rows.map(({ source, images, points }) => ({
      source: String(source),
      images: Number(images),
      points: Number(points),
    }));
  }

  private async hasIndex(query: Query, shards: readonly shardsSql.Shard[] | null): Promise<boolean> {
    if (shards) return shards.every(({ indexed }) => indexed);
    return (await query(sql.HAS_INDEX, [this.schema])).length > 0;
  }

  /** Makes the searches of this transaction exact, or approximate. */
  private async configure(query: Query, shards: readonly shardsSql.Shard[] | null, efSearch: number | undefined) {
    if (this.found.hasCitus) await query(sql.PROPAGATE);
    if (efSearch !== undefined && !(await this.hasIndex(query, shards))) {
      throw new RomoError(
        'gallery',
        `${this.connection.name}, schema ${this.schema} has no HNSW index for an approximate search`,
        'Build it once with buildIndex(), or search without efSearch, which is exact.',
      );
    }
    const settings = efSearch === undefined ? sql.EXACT_SEARCH : sql.approximateSearch(efSearch, this.found.version);
    for (const statement of sql.setLocal(shards ? shardsSql.SORT_ON_SHARDS : settings)) await query(statement);
    if (!shards || efSearch === undefined) return; // shards search exactly unless told otherwise
    const listed = [Object.keys(settings), Object.values(settings)];
    for (const shard of shards) await query(shardsSql.setOn(this.schema, shard), listed);
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
    conditions.push(`metadata @@ $${next()}::jsonpath`);
    values.push(filterPath(where));
  }
  return { conditions, values };
}

/** Where the embeddings of a collection live and are searched: one interface for a file, an embedded and a real database. */

/** What a row was made of: a picture, or a point cloud, for which galleries and command lines say `points`. */
export type Modality = 'image' | 'points';

/** What a user filters by, such as `category`. */
export type Metadata = Readonly<Record<string, string | number | boolean | null>>;

/** One embedded picture or cloud. A gallery holds at most one for an id and modality. */
export interface Entry {
  readonly id: string;
  readonly modality: Modality;
  /** [d], unit length */
  readonly vector: Float32Array;
  readonly metadata: Metadata;
}

/** What a gallery remembers of the model whose embeddings it holds. Vectors of two models do not compare. */
export interface ModelStamp {
  /** of model.safetensors, hexadecimal */
  readonly sha256: string;
  /** that the encoders come from */
  readonly stage: 'ssm' | 'rdl';
  /** d */
  readonly dimension: number;
}

/** A condition on metadata. A field that an entry lacks is null; a comparison with null is never true, as in SQL. */
export type Filter =
  | {
      readonly kind: 'compare';
      readonly field: string;
      readonly operator: '=' | '!=' | '<' | '<=' | '>' | '>=';
      readonly value: string | number | boolean;
    }
  | { readonly kind: 'in'; readonly field: string; readonly values: readonly (string | number | boolean)[] }
  | { readonly kind: 'null'; readonly field: string }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly part: Filter };

/** What is asked for, besides the queries. */
export interface SearchOptions {
  /** answers per query, at most */
  readonly top: number;
  /** only entries of it */
  readonly modality?: Modality | undefined;
  readonly where?: Filter | undefined;
  /** Candidates that an HNSW index keeps while it searches: more are slower and miss less. Default: exact search. */
  readonly efSearch?: number | undefined;
}

/** An entry that was found. */
export interface Answer {
  readonly id: string;
  readonly modality: Modality;
  /** cosine, -1..1 */
  readonly similarity: number;
  readonly metadata: Metadata;
}

/** What `info` shows. */
export interface GalleryInfo {
  readonly model: ModelStamp;
  readonly images: number;
  /** how many clouds, by the word of `Modality` */
  readonly points: number;
  /** where it lives and how it searches, for people */
  readonly storage: string;
}

/** A collection of embeddings. Errors: `shape`, `not-finite`, `not-unit` on vectors, `gallery` and `file` on the rest. */
export interface Gallery {
  readonly model: ModelStamp;
  /** Model, counts, storage. */
  info(): Promise<GalleryInfo>;
  /** Inserts entries, or replaces those of the same id and modality: all of a call or none. */
  upsert(entries: readonly Entry[]): Promise<void>;
  /** Deletes both modalities of the objects; returns how many entries went. */
  remove(ids: readonly string[]): Promise<number>;
  /** Of the ids, those that are there already: what an interrupted indexing need not do again. */
  present(ids: readonly string[], modality: Modality): Promise<Set<string>>;
  /**
   * Nearest entries to each query, best first; equal similarities in the order of ids.
   * @param queries [Q, d], unit rows
   */
  search(queries: Float32Array, options: SearchOptions): Promise<Answer[][]>;
  /** Frees files or connections; nothing can be asked afterwards. */
  close(): Promise<void>;
}

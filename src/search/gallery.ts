/** The interface of a gallery: the embeddings of a collection, in files, an embedded database or a server. */

/** What an embedding was made from: an image or a point cloud (`points` in galleries and on the command line). */
export type Modality = 'image' | 'points';

/** Fields to filter by, such as `category`. */
export type Metadata = Readonly<Record<string, string | number | boolean | null>>;

/** One embedded image or cloud. A gallery holds at most one per source, id and modality. */
export interface Entry {
  readonly id: string;
  readonly modality: Modality;
  /** The collection that the id belongs to: two collections may use the same ids. Default: '', the one without a name. */
  readonly source?: string;
  /** Of what the vector was made from, so that a change is noticed. Default: '', unknown. */
  readonly hash?: string;
  /** [d], unit length */
  readonly vector: Float32Array;
  readonly metadata: Metadata;
}

/** Identifies the model whose embeddings a gallery holds. Embeddings of different models cannot be compared. */
export interface ModelStamp {
  /** of model.safetensors, hexadecimal */
  readonly sha256: string;
  /** whose encoders made the embeddings */
  readonly stage: 'ssm' | 'rdl';
  /** d */
  readonly dimension: number;
  /** How objects were prepared for it, by name: sizes, background, axis that points up. Undefined: not recorded. */
  readonly preparation?: Readonly<Record<string, string | number>> | undefined;
}

/** How a gallery stores vectors: f16 takes half the bytes. */
export type Numbers = 'f32' | 'f16';

/** A condition on metadata. A missing field is null; a comparison with null is never true, as in SQL. */
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

/** Options of a search. */
export interface SearchOptions {
  /** largest number of answers per query */
  readonly top: number;
  /** search only these entries; default: both */
  readonly modality?: Modality | undefined;
  /** search only this collection; default: all */
  readonly source?: string | undefined;
  readonly where?: Filter | undefined;
  /** Candidates that an HNSW index keeps during a search: more are slower and miss less. Default: exact search. */
  readonly efSearch?: number | undefined;
}

/** An entry that was found. */
export interface Answer {
  readonly id: string;
  /** of its collection, '' if it has no name */
  readonly source: string;
  readonly modality: Modality;
  /** cosine, -1..1 */
  readonly similarity: number;
  readonly metadata: Metadata;
}

/** One collection in a gallery, and the number of its entries. */
export interface GallerySource {
  readonly source: string;
  readonly images: number;
  /** number of clouds; named after the modality */
  readonly points: number;
}

/** Model, counts and storage of a gallery. */
export interface GalleryInfo {
  readonly model: ModelStamp;
  readonly images: number;
  /** number of clouds; named after the modality */
  readonly points: number;
  /** its collections, in the order of their names */
  readonly sources: readonly GallerySource[];
  /** where it is stored and how it searches, for display */
  readonly storage: string;
}

/** A collection of embeddings. Errors: `shape`, `not-finite`, `not-unit` for vectors; else `gallery`, `file`. */
export interface Gallery {
  readonly model: ModelStamp;
  /** Model, counts, storage. */
  info(): Promise<GalleryInfo>;
  /** Inserts entries, replacing those of the same source, id and modality: all entries of a call or none. */
  upsert(entries: readonly Entry[]): Promise<void>;
  /** Deletes both modalities of objects of a source (default ''); returns the number of deleted entries. */
  remove(ids: readonly string[], source?: string): Promise<number>;
  /**
   * Which of the ids the gallery holds from a source (default ''), with their hashes: an interrupted indexing skips
   * them, unless their objects have changed.
   */
  present(ids: readonly string[], modality: Modality, source?: string): Promise<Map<string, string>>;
  /** All ids of a source (default ''), in no particular order. */
  ids(source?: string): Promise<string[]>;
  /**
   * The nearest entries to each query, most similar first; ties in the order of ids, then of sources.
   * @param queries [Q, d], unit rows
   */
  search(queries: Float32Array, options: SearchOptions): Promise<Answer[][]>;
  /** Closes files or connections. The gallery cannot be used afterwards. */
  close(): Promise<void>;
}

/**
 * A gallery as files: `gallery.json`, and parts of two files each, NAME.safetensors with the vectors and NAME.jsonl
 * with a line of JSON per row. Parts never change once they are there; gallery.json says which parts and rows count,
 * and is replaced as a whole. Needs nothing of Node: pages read galleries by it, too.
 */
import { safetensorsLayout } from '../../files/safetensors.ts';
import { RomoError } from '../../tensor/error.ts';
import type { Metadata, Modality, ModelStamp } from '../gallery.ts';

export const MANIFEST = 'gallery.json';
const FORMAT = 'romo-gallery';
const VERSION = 2;
/** Version 1 knew neither sources nor hashes. */
const OLDEST = 1;

/** gallery.json */
export interface Manifest {
  readonly model: ModelStamp;
  /** number of the next part: names are never reused, because readers identify parts by name */
  readonly next: number;
  readonly parts: readonly ListedPart[];
}

export interface ListedPart {
  readonly name: string;
  /** number of its rows, dead ones included */
  readonly rows: number;
  /** indices of rows that were deleted or replaced, ascending */
  readonly dead: readonly number[];
}

/** Identifies a row. */
export interface Label {
  readonly id: string;
  readonly modality: Modality;
  /** '' if it has none */
  readonly source: string;
  /** '' if it is unknown */
  readonly hash: string;
  readonly metadata: Metadata;
}

/** Bytes that are read on demand. */
export interface ByteSource {
  /** its name, for errors */
  readonly name: string;
  readonly size: number;
  /**
   * bytes `begin` to `end`; where `memory` is given and the source can, they are at its start, else in memory of their
   * own
   */
  read(begin: number, end: number, memory?: Uint8Array): Promise<Uint8Array>;
}

const broken = (name: string, what: string): RomoError =>
  new RomoError('file', `${name}: ${what}`, 'Copy the whole gallery again, or index the collection again.');

export const encodeManifest = ({ model, next, parts }: Manifest): string =>
  `${JSON.stringify({ format: FORMAT, version: VERSION, model, next, parts }, null, 1)}\n`;

/** @throws RomoError `file` where the text is not a manifest, or of a later version */
export function parseManifest(text: string, name: string): Manifest {
  const { format, version, model, next, parts } = record(parseJson(text, name), name, 'it');
  if (format !== FORMAT) throw broken(name, `is not a gallery: format is ${JSON.stringify(format)}`);
  if (!isCount(version) || version < OLDEST || version > VERSION) {
    const what = `${name} has version ${version}, this program reads ${OLDEST} to ${VERSION}`;
    throw new RomoError('file', what, 'Update the program.');
  }
  const { sha256, stage, dimension, preparation } = record(model, name, 'model');
  const isSum = typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256);
  if (!isSum || (stage !== 'ssm' && stage !== 'rdl') || !isCount(dimension) || dimension === 0) {
    throw broken(name, `model is ${JSON.stringify(model).slice(0, 200)}`);
  }
  const prepared = preparation === undefined ? {} : { preparation: plainRecord(preparation, name, 'preparation') };
  if (!isCount(next)) throw broken(name, `next is ${JSON.stringify(next)}`);
  if (!Array.isArray(parts)) throw broken(name, 'it has no list of parts');
  const listed = parts.map((part): ListedPart => {
    const { name: partName, rows, dead } = record(part, name, 'a part');
    if (typeof partName !== 'string' || !/^part-\d+$/.test(partName)) throw broken(name, 'a part has no valid name');
    if (!isCount(rows)) throw broken(name, `${partName} has ${JSON.stringify(rows)} rows`);
    const isRow = (row: unknown, i: number, all: unknown[]) =>
      isCount(row) && row < rows && (i === 0 || row > (all[i - 1] as number));
    if (!Array.isArray(dead) || !dead.every(isRow))
      throw broken(name, `the dead rows of ${partName} are not rows of it`);
    return { name: partName, rows, dead };
  });
  if (new Set(listed.map((part) => part.name)).size < listed.length) throw broken(name, 'a part is listed twice');
  return { model: { sha256: sha256 as string, stage, dimension, ...prepared }, next, parts: listed };
}

export const encodeLabel = ({ id, modality, source, hash, metadata }: Label): string =>
  `${JSON.stringify({ id, modality, ...(source && { source }), ...(hash && { hash }), metadata })}\n`;

function parseLabel(text: string, name: string): Label {
  const { id, modality, source = '', hash = '', metadata } = record(parseJson(text, name), name, 'it');
  if (typeof id !== 'string') throw broken(name, 'it has no id');
  if (modality !== 'image' && modality !== 'points') throw broken(name, `modality is ${JSON.stringify(modality)}`);
  if (typeof source !== 'string') throw broken(name, `source is ${JSON.stringify(source)}`);
  if (typeof hash !== 'string') throw broken(name, `hash is ${JSON.stringify(hash)}`);
  return { id, modality, source, hash, metadata: plainRecord(metadata, name, 'metadata') as Metadata };
}

const BLOCK_BYTES = 2 ** 23;

/** An open part: its labels are in memory, its vectors are not. */
export class StoredPart {
  dead: ReadonlySet<number>;

  private constructor(
    readonly name: string,
    readonly labels: readonly Label[],
    dead: readonly number[],
    private readonly vectors: ByteSource,
    private readonly begin: number,
    private readonly dimension: number,
  ) {
    this.dead = new Set(dead);
  }

  /** @throws RomoError `file` if the files are truncated, damaged, or do not match the manifest */
  static async open(
    listed: ListedPart,
    dimension: number,
    vectors: ByteSource,
    lines: ByteSource,
  ): Promise<StoredPart> {
    const { begin, rows, width } = await locateVectors(vectors);
    if (rows !== listed.rows || width !== dimension) {
      throw broken(vectors.name, `holds vectors [${rows}, ${width}], ${MANIFEST} says [${listed.rows}, ${dimension}]`);
    }
    const labels: Label[] = [];
    for await (const line of linesOf(lines)) labels.push(parseLabel(line, `${lines.name}, line ${labels.length + 1}`));
    if (labels.length !== listed.rows) {
      throw broken(lines.name, `has ${labels.length} lines, ${MANIFEST} says ${listed.rows}`);
    }
    return new StoredPart(listed.name, labels, listed.dead, vectors, begin, dimension);
  }

  get listed(): ListedPart {
    return { name: this.name, rows: this.labels.length, dead: [...this.dead].sort((a, b) => a - b) };
  }

  get live(): number {
    return this.labels.length - this.dead.size;
  }

  /** Indices of live rows whose label passes, ascending. */
  rows(passes: (label: Label) => boolean = () => true): number[] {
    const rows: number[] = [];
    this.labels.forEach((label, row) => {
      if (!this.dead.has(row) && passes(label)) rows.push(row);
    });
    return rows;
  }

  get rowBytes(): number {
    return 4 * this.dimension;
  }

  /** Largest number of rows in a block. */
  get blockRows(): number {
    return Math.min(this.labels.length, Math.max(1, Math.floor(BLOCK_BYTES / this.rowBytes)));
  }

  /** The vectors of rows, ascending, in blocks [n, dimension] in `memory`; rows in between are not read. */
  async *read(rows: readonly number[], memory: Uint8Array): AsyncGenerator<Float32Array> {
    const bytes = this.rowBytes;
    const most = this.blockRows;
    for (let i = 0; i < rows.length; ) {
      const first = rows[i];
      let next = i;
      while (next < rows.length && rows[next] - first < most) next++;
      const from = this.begin + first * bytes;
      const block = await this.vectors.read(from, from + (rows[next - 1] - first + 1) * bytes, memory);
      for (let row = i; row < next; row++) {
        const at = rows[row] - first;
        if (at > row - i) block.copyWithin((row - i) * bytes, at * bytes, (at + 1) * bytes);
      }
      yield new Float32Array(block.buffer, block.byteOffset, (next - i) * this.dimension);
      i = next;
    }
  }
}

/** Row indices of a part, ascending. */
export interface ChosenRows {
  readonly part: StoredPart;
  readonly rows: readonly number[];
}

/** The vectors of rows of several parts, in blocks [n, dimension]; a block is valid until the next one is requested. */
export async function* readRows(chosen: readonly ChosenRows[]): AsyncGenerator<Float32Array> {
  // One buffer for all blocks: allocating one per block makes the garbage collector scan the heap, labels included.
  const memory = new Uint8Array(Math.max(0, ...chosen.map(({ part }) => part.blockRows * part.rowBytes)));
  for (const { part, rows } of chosen) yield* part.read(rows, memory);
}

async function locateVectors(file: ByteSource): Promise<{ begin: number; rows: number; width: number }> {
  let start = await file.read(0, Math.min(8, file.size));
  if (start.length === 8) {
    const length = Number(new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true));
    if (length < 2 ** 20) start = await file.read(0, Math.min(8 + length, file.size));
  }
  const { tensors } = safetensorsLayout(start, file.size, file.name);
  const vectors = tensors.vectors;
  if (vectors?.fileDtype !== 'F32' || vectors.shape.length !== 2) {
    throw broken(file.name, 'has no two-dimensional F32 tensor "vectors"');
  }
  return { begin: vectors.begin, rows: vectors.shape[0], width: vectors.shape[1] };
}

/** Lines without their newlines; the last one may lack it. */
async function* linesOf(file: ByteSource): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for (let at = 0; at < file.size; at += BLOCK_BYTES) {
    const bytes = await file.read(at, Math.min(at + BLOCK_BYTES, file.size));
    let text: string;
    try {
      text = decoder.decode(bytes, { stream: true });
    } catch {
      throw broken(file.name, 'is not UTF-8 text');
    }
    const lines = (rest + text).split('\n');
    rest = lines.pop() as string;
    yield* lines;
  }
  if (rest !== '') yield rest;
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw broken(name, `is not JSON: ${(cause as Error).message}`);
  }
}

function record(value: unknown, name: string, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw broken(name, `${what} is not a JSON object`);
  return value as Record<string, unknown>;
}

/** A JSON object of plain values. */
function plainRecord(value: unknown, name: string, what: string): Record<string, string | number> {
  const fields = record(value, name, what);
  for (const [field, one] of Object.entries(fields)) {
    if (one !== null && typeof one === 'object')
      throw broken(name, `${what} ${JSON.stringify(field)} is not a plain value`);
  }
  return fields as Record<string, string | number>;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/**
 * A part of a gallery in files: NAME.safetensors with the vectors and NAME.jsonl with a line of JSON per row. Parts never
 * change once they are there; gallery.json says which parts and rows count, and is replaced as a whole. Needs nothing
 * of Node: pages read galleries by it, too.
 */
import { fromHalves } from '../../files/half.ts';
import { safetensorsLayout } from '../../files/safetensors.ts';
import type { Numbers } from '../gallery.ts';
import { findNotUnit } from '../vectors.ts';
import { broken, type Label, type ListedPart, MANIFEST, parseLabel } from './manifest.ts';

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

const BLOCK_BYTES = 2 ** 23;

/** An open part: its labels are in memory, its vectors are not. They are read in blocks of `blockRows` rows. */
export class StoredPart {
  dead: ReadonlySet<number>;
  /** blocks that were found intact; a part never changes */
  private readonly intact = new Set<number>();
  private selected: { key: string; dead: ReadonlySet<number>; blocks: readonly Chosen[] } | null = null;

  private constructor(
    readonly name: string,
    readonly labels: readonly Label[],
    dead: readonly number[],
    private readonly vectors: ByteSource,
    private readonly begin: number,
    private readonly numbers: Numbers,
    readonly dimension: number,
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
    const { begin, rows, width, numbers } = await locateVectors(vectors);
    if (rows !== listed.rows || width !== dimension) {
      throw broken(vectors.name, `holds vectors [${rows}, ${width}], ${MANIFEST} says [${listed.rows}, ${dimension}]`);
    }
    const labels: Label[] = [];
    for await (const line of linesOf(lines)) labels.push(parseLabel(line, `${lines.name}, line ${labels.length + 1}`));
    if (labels.length !== listed.rows) {
      throw broken(lines.name, `has ${labels.length} lines, ${MANIFEST} says ${listed.rows}`);
    }
    return new StoredPart(listed.name, labels, listed.dead, vectors, begin, numbers, dimension);
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

  /** The live rows whose label passes, by block. Those of the last `key` are remembered: it names the condition. */
  select(key: string, passes?: (label: Label) => boolean): readonly Chosen[] {
    if (this.selected?.key !== key || this.selected.dead !== this.dead) {
      this.selected = { key, dead: this.dead, blocks: this.inBlocks(this.rows(passes)) };
    }
    return this.selected.blocks;
  }

  private inBlocks(rows: readonly number[]): Chosen[] {
    const blocks: Chosen[] = [];
    for (let from = 0; from < rows.length; ) {
      const block = Math.floor(rows[from] / this.blockRows);
      const first = block * this.blockRows;
      let to = from;
      while (to < rows.length && rows[to] < first + this.blockRows) to++;
      const own = Uint32Array.from(rows.slice(from, to), (row) => row - first);
      blocks.push({ part: this, block, rows: own });
      from = to;
    }
    return blocks;
  }

  /** In memory; in the file half of that for f16. */
  get rowBytes(): number {
    return 4 * this.dimension;
  }

  /** Number of rows in a block; the last one may have fewer. */
  get blockRows(): number {
    return Math.min(this.labels.length, Math.max(1, Math.floor(BLOCK_BYTES / this.rowBytes)));
  }

  /**
   * The vectors of a block [n, dimension], in `memory`.
   * @throws RomoError `file` where one does not have unit length; this is checked the first time
   */
  async read(block: number, memory: Uint8Array): Promise<Float32Array> {
    const first = block * this.blockRows;
    const count = (Math.min(this.labels.length, first + this.blockRows) - first) * this.dimension;
    const values = await this.readNumbers(first * this.dimension, count, memory);
    if (!this.intact.has(block)) {
      const bad = findNotUnit(values, this.dimension);
      if (bad >= 0) throw broken(this.vectors.name, `row ${first + bad} is not a vector of unit length`);
      this.intact.add(block);
    }
    return values;
  }

  private async readNumbers(first: number, count: number, memory: Uint8Array): Promise<Float32Array> {
    const size = this.numbers === 'f16' ? 2 : 4;
    const from = this.begin + size * first;
    const place = memory.subarray((4 - size) * count, 4 * count); // of halves, the second half
    const bytes = await this.vectors.read(from, from + size * count, place);
    if (size === 4) return new Float32Array(bytes.buffer, bytes.byteOffset, count);
    const values = new Float32Array(memory.buffer, memory.byteOffset, count);
    fromHalves(new Uint16Array(bytes.buffer, bytes.byteOffset, count), values);
    return values;
  }
}

/** Rows of one block of a part, ascending and counted from the block's first. */
export interface Chosen {
  readonly part: StoredPart;
  readonly block: number;
  readonly rows: Uint32Array;
}

/** The label of the i-th of the rows. */
export const labelAt = ({ part, block, rows }: Chosen, i: number): Label =>
  part.labels[block * part.blockRows + rows[i]];

/** Memory for any block. One for all: else the garbage collector scans the heap, labels included, for each block. */
export const blockMemory = (chosen: readonly Chosen[]): Uint8Array =>
  new Uint8Array(Math.max(0, ...chosen.map(({ part }) => part.blockRows * part.rowBytes)));

/** The vectors of rows, in blocks [n, dimension]; a block is valid until the next one is requested. */
export async function* readRows(chosen: readonly Chosen[]): AsyncGenerator<Float32Array> {
  const memory = blockMemory(chosen);
  for (const { part, block, rows } of chosen) {
    const values = await part.read(block, memory);
    const { dimension } = part;
    rows.forEach((row, i) => {
      if (row > i) values.copyWithin(i * dimension, row * dimension, (row + 1) * dimension);
    });
    yield values.subarray(0, rows.length * dimension);
  }
}

async function locateVectors(
  file: ByteSource,
): Promise<{ begin: number; rows: number; width: number; numbers: Numbers }> {
  let start = await file.read(0, Math.min(8, file.size));
  if (start.length === 8) {
    const length = Number(new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true));
    if (length < 2 ** 20) start = await file.read(0, Math.min(8 + length, file.size));
  }
  const { tensors } = safetensorsLayout(start, file.size, file.name);
  const vectors = tensors.vectors;
  const numbers = vectors?.fileDtype === 'F32' ? 'f32' : vectors?.fileDtype === 'F16' ? 'f16' : null;
  if (!vectors || !numbers || vectors.shape.length !== 2) {
    throw broken(file.name, 'has no two-dimensional tensor "vectors" of F32 or F16');
  }
  return { begin: vectors.begin, rows: vectors.shape[0], width: vectors.shape[1], numbers };
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

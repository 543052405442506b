/**
 * Exact search: the k rows of a gallery with the largest dot product with each query (cosine, where rows have unit
 * length). Scores and selection are one kernel; no matrix of all scores is held, and a gallery may be larger than the
 * GPU binds at once. Cost: 2 Q G d operations; the gallery is read once per 16 queries (GPUs) or 32 (software adapters;
 * of up to 16 once per 8, of two once for each). Kernels: the backend's `scan` and shaders/search.wgsl. Float64
 * reference: test/reference/search.ts.
 */

import source from '../shaders/search.wgsl';
import type { Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { kernel, program } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';

const mergeKernel = kernel(program('search', source), 'merge');

const LIST = 64; // answers that a kernel finds in one round
const NOTHING = -3.4e38; // below any score
const BULK = 16; // more queries than these have kernels of their own on some adapters
const ASKED = 2 ** 13; // queries per round: their lists stay below the smallest binding limit

/** The answers to each query, best first; of equal scores the lower row comes first. */
export interface Answers {
  /** [Q, k]; -Infinity where the gallery has fewer rows */
  readonly scores: Float32Array;
  /** row indices [Q, k]; -1 where the gallery has fewer rows */
  readonly rows: Int32Array;
}

/** Some of the rows of a tensor [n, d], where d is a multiple of 4: by number, ascending. */
export interface Selection {
  readonly vectors: Tensor;
  readonly rows: Uint32Array;
}

/** Rows of a gallery [rows, d], on the CPU or some of those of a tensor. */
type Block = Float32Array | Selection;

/** The rows of a gallery, in order. */
export type Blocks = Iterable<Block> | AsyncIterable<Block>;

/**
 * A gallery on the GPU.
 *
 *     const index = new ExactIndex(gpu, 128);
 *     index.add(rows); // [G, 128], unit rows
 *     const { rows, scores } = await index.search(queries, 10); // [Q, 128]
 */
export class ExactIndex {
  private readonly blocks: Selection[] = [];
  /** number of rows */
  length = 0;

  constructor(
    private readonly gpu: Gpu,
    readonly dimension: number,
  ) {}

  /**
   * Appends rows [n, dimension]. Throws `shape` where they are not whole rows, `not-finite` where a value is not a
   * number.
   */
  add(rows: Float32Array): void {
    for (const part of cutRows(this.gpu, rows, this.dimension)) {
      const vectors = upload(this.gpu, part, this.dimension).keep();
      this.blocks.push({ vectors, rows: allOf(vectors) });
    }
    this.length += rows.length / this.dimension;
  }

  /**
   * The k best rows for each query.
   * @param queries [Q, dimension]
   * @throws RomoError `shape` if sizes do not match or k < 1, `not-finite` for NaN or infinity
   */
  search(queries: Float32Array, k: number): Promise<Answers> {
    return searchBlocks(this.gpu, () => this.blocks, this.dimension, queries, k);
  }

  /** Frees the rows on the GPU. */
  dispose(): void {
    for (const { vectors } of this.blocks) vectors.dispose();
    this.blocks.length = 0;
    this.length = 0;
  }
}

/**
 * Searches a gallery that need not fit on the GPU: its blocks are requested one by one, once per round of 64 answers.
 * @param blocks [rows, dimension] each, in the gallery's order; row indices count through all blocks
 * @param queries [Q, dimension]
 * @throws RomoError `shape` where sizes do not fit, `not-finite` where a value is not a number
 */
export async function searchBlocks(
  gpu: Gpu,
  blocks: () => Blocks,
  dimension: number,
  queries: Float32Array,
  k: number,
): Promise<Answers> {
  await gpu.tested(queries.length > BULK * dimension ? 'bulk search' : 'search');
  return searchUntested(gpu, blocks, dimension, queries, k);
}

/** The same without the self-test, which runs it. */
export async function searchUntested(
  gpu: Gpu,
  blocks: () => Blocks,
  dimension: number,
  queries: Float32Array,
  k: number,
): Promise<Answers> {
  const count = checkRows('queries', queries, dimension);
  if (!Number.isInteger(k) || k < 1) {
    throw new RomoError('shape', `search: k is ${k}`, 'Ask for at least one answer.');
  }
  const scores = new Float32Array(count * k).fill(Number.NEGATIVE_INFINITY);
  const rows = new Int32Array(count * k).fill(-1);
  for (let from = 0; from < count; from += ASKED) {
    const some = Math.min(ASKED, count - from);
    const asked = queries.subarray(from * dimension, (from + some) * dimension);
    let after: Answers = { scores: new Float32Array(some).fill(-NOTHING), rows: new Int32Array(some).fill(-1) };
    for (let found = 0; found < k; found += LIST) {
      const take = Math.min(LIST, k - found);
      const best = await searchRound(gpu, blocks(), dimension, asked, take, after);
      for (let i = 0; i < some * take; i++) {
        if (best.rows[i] < 0) continue;
        const to = (from + Math.floor(i / take)) * k + found + (i % take);
        rows[to] = best.rows[i];
        scores[to] = best.scores[i];
      }
      const isLast = (_: number, i: number) => i % take === take - 1;
      after = { scores: best.scores.filter(isLast), rows: best.rows.filter(isLast) };
      if (after.rows.every((row) => row < 0)) break; // the gallery has no more
    }
  }
  return { scores, rows };
}

/** The best `k` (at most 64) of the rows that come after the answers `after` [Q]. */
async function searchRound(
  gpu: Gpu,
  blocks: Blocks,
  dimension: number,
  queries: Float32Array,
  k: number,
  after: Answers,
): Promise<Answers> {
  const count = queries.length / dimension;
  const state = {
    queries4: upload(gpu, queries, dimension).keep(),
    afterScores: gpu.tensor(after.scores, [count]).keep(),
    afterRows: gpu.tensor(after.rows, [count]).keep(),
    bestScores: gpu.tensor(new Float32Array(count * k).fill(NOTHING), [count, k]).keep(),
    bestRows: gpu.tensor(new Int32Array(count * k).fill(-1), [count, k]).keep(),
  };
  let scanned = Promise.resolve();
  try {
    let first = 0;
    for await (const block of blocks) {
      for (const part of block instanceof Float32Array ? cutRows(gpu, block, dimension) : [block]) {
        await scanned; // reads one block ahead of the GPU, not more
        using _scope = gpu.scope();
        const isOnGpu = !(part instanceof Float32Array);
        const vectors = isOnGpu ? part.vectors : upload(gpu, part, dimension);
        const rows = isOnGpu ? part.rows : allOf(vectors);
        searchBlock(gpu, vectors, rows, state, first);
        first += rows.length;
        scanned = isOnGpu ? gpu.submit() : gpu.finish();
        scanned.catch(() => {}); // if reading fails first, its error is the one to report
      }
    }
    await scanned;
    const [scores, rows] = await Promise.all([state.bestScores.readFloats(), state.bestRows.read()]);
    return { scores, rows: rows as Int32Array };
  } finally {
    for (const tensor of Object.values(state)) tensor.dispose();
  }
}

type State = Record<'queries4' | 'afterScores' | 'afterRows' | 'bestScores' | 'bestRows', Tensor>;

/** Scans the chosen rows of a block [n, d] in slices and merges their lists into the best so far. */
function searchBlock(gpu: Gpu, gallery4: Tensor, chosenRows: Uint32Array, state: State, first: number): void {
  const { bestScores, bestRows, ...asked } = state;
  const rows = chosenRows.length;
  const [queries, k] = bestScores.shape;
  const scan = gpu.backend.scan(queries);
  const rowsPerSlice = scan.unit * Math.ceil(rows / scan.slices / scan.unit);
  const slices = Math.ceil(rows / rowsPerSlice);
  const chosen = gpu.tensor(chosenRows, [rows]);
  const sliceScores = gpu.empty([queries, slices, k]);
  const sliceRows = gpu.empty([queries, slices, k], 'i32');
  const lists = { sliceScores, sliceRows, bestScores };
  const { channels } = gallery4;
  const sizes = { rows, queries, channels, k, slices, rowsPerSlice, first };
  const options = { invocations: scan.invocations(slices), work: queries * rows * (2 * channels + 10) };
  launch(scan.kernel, { gallery4, chosen, ...asked, ...lists }, sizes, options);
  launch(mergeKernel, { ...lists, bestRows }, sizes, { invocations: queries });
}

/** The numbers of all rows of a tensor. */
const allOf = ({ rows }: Tensor): Uint32Array => Uint32Array.from({ length: rows }, (_, row) => row);

/** Uploads rows [n, dimension], each padded with zeros to a multiple of 4, which leaves dot products unchanged. */
export function upload(gpu: Gpu, rows: Float32Array, dimension: number): Tensor {
  const count = rows.length / dimension;
  const width = 4 * Math.ceil(dimension / 4);
  if (width === dimension) return gpu.tensor(rows, [count, dimension]);
  const wide = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    wide.set(rows.subarray(row * dimension, (row + 1) * dimension), row * width);
  }
  return gpu.tensor(wide, [count, width]);
}

/** Cuts rows into blocks that the GPU can bind. */
function* cutRows(gpu: Gpu, rows: Float32Array, dimension: number): Generator<Float32Array> {
  checkRows('gallery', rows, dimension);
  const step = dimension * Math.max(1, Math.floor(gpu.bindableBytes / (16 * Math.ceil(dimension / 4))));
  for (let from = 0; from < rows.length; from += step) yield rows.subarray(from, from + step);
}

/** @returns the number of rows */
function checkRows(what: string, rows: Float32Array, dimension: number): number {
  if (!Number.isInteger(dimension) || dimension < 1 || rows.length % dimension !== 0) {
    throw new RomoError(
      'shape',
      `search: ${what} has ${rows.length} numbers, which is not a multiple of the dimension ${dimension}`,
      'Pass whole rows from the model that made the gallery.',
    );
  }
  let zero = 0; // one pass without calls: a gallery may have 10^9 numbers
  for (let i = 0; i < rows.length; i++) zero += rows[i] * 0;
  if (zero !== 0) {
    const bad = rows.findIndex((value) => !Number.isFinite(value));
    const at = `[${Math.floor(bad / dimension)}, ${bad % dimension}]`;
    throw new RomoError('not-finite', `search: ${what}${at} is ${rows[bad]}`, 'Embed it again.');
  }
  return rows.length / dimension;
}

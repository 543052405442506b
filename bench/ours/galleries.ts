/**
 * `npm run bench:search [-- ROWS...]`: compares galleries in Postgres with pgvector (exact and with an HNSW index) and
 * in files with our own exact search and numpy's. Prints the tables of docs/search.md. Starts its own server; needs
 * Postgres with pgvector. `--files` measures only galleries in files, and their memory; `--dimension D` sets the row
 * length.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ExactIndex } from '../../src/search/exact.ts';
import { openFileGallery } from '../../src/search/files/file_gallery.ts';
import type { Answer, Entry, Gallery, ModelStamp, Numbers } from '../../src/search/gallery.ts';
import { openDatabaseGallery } from '../../src/search/postgres/database.ts';
import { type Gpu, openDevice } from '../../src/tensor/device.ts';
import { Random } from '../../src/tensor/random.ts';
import { startServer } from '../../tools/postgres_server.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { files: { type: 'boolean' }, dimension: { type: 'string', default: '128' } },
});
const D = Number(options.dimension);
const CLUSTERS = 100;
const SPREAD = 0.7; // length of the noise added to a centre of length 1
const QUERIES = 200;
const TOP = 10;
const EF_SEARCH = [10, 20, 40, 80, 160, 320];
const PER_CALL = 5_000;
const MOST_EMBEDDED = 10_000; // rows in PGlite
const MOST_INDEXED = 100_000; // rows in an HNSW graph: with more, building takes too long
const STAMP: ModelStamp = { sha256: '0'.repeat(64), stage: 'rdl', dimension: D };

const sizes = positionals.map(Number);
if (sizes.length === 0) sizes.push(1_000, 10_000, 100_000, 1_000_000);

function unit(values: readonly number[]): number[] {
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

const random = new Random(1, 'bench:search');
const draw = () => random.normal();
const centres = Array.from({ length: CLUSTERS }, () => unit(Array.from({ length: D }, draw)));

/** Unit rows [count, D] around the centres in turn. */
function clustered(count: number): Float32Array {
  const rows = new Float32Array(count * D);
  for (let row = 0; row < count; row++) {
    const centre = centres[row % CLUSTERS];
    rows.set(unit(centre.map((value) => value + (SPREAD * draw()) / Math.sqrt(D))), row * D);
  }
  return rows;
}

const rowOf = (rows: Float32Array, row: number): Float32Array => rows.subarray(row * D, (row + 1) * D);
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const begin = performance.now();
  const value = await work();
  return { ms: performance.now() - begin, value };
}

/** Cuts rows into portions of one insert call each. */
function* portionsOf(rows: Float32Array): Generator<Float32Array> {
  for (let from = 0; from < rows.length; from += PER_CALL * D) yield rows.subarray(from, from + PER_CALL * D);
}

/** Generates portions one by one, so that not all rows are in memory. */
function* drawn(count: number): Generator<Float32Array> {
  for (let from = 0; from < count; from += PER_CALL) yield clustered(Math.min(PER_CALL, count - from));
}

/** @returns the time of inserting, in ms */
async function fill(gallery: Gallery, portions: Iterable<Float32Array>): Promise<number> {
  let ms = 0;
  let next = 0;
  for (const rows of portions) {
    const entries = Array.from({ length: rows.length / D }, (_, row): Entry => {
      const metadata = { category: next % CLUSTERS };
      return { id: String(next++), modality: 'image', vector: rowOf(rows, row), metadata };
    });
    ms += (await timed(() => gallery.upsert(entries))).ms;
  }
  return ms;
}

/** Measures a gallery in files, with one query at a time. */
async function measureFiles(
  gpu: Gpu,
  to: string,
  portions: Iterable<Float32Array>,
  queries: Float32Array,
  numbers: Numbers = 'f32',
) {
  const writer = await openFileGallery(to, STAMP, async () => gpu, numbers);
  const filled = await fill(writer, portions);
  await writer.close();
  const { ms: opened, value: gallery } = await timed(() => openFileGallery(to, STAMP, async () => gpu));
  const first = await ask(gallery, queries, undefined, 1);
  const rest = await ask(gallery, queries);
  await gallery.close();
  return { filled, opened, first: first.ms, ...rest };
}

/** Runs queries one by one, as users send them. */
async function ask(gallery: Gallery, queries: Float32Array, efSearch?: number, count = QUERIES) {
  const times: number[] = [];
  const answers: Answer[][] = [];
  for (let i = 0; i < count; i++) {
    const { ms, value } = await timed(() => gallery.search(rowOf(queries, i), { top: TOP, efSearch }));
    times.push(ms);
    answers.push(value[0]);
  }
  return { ms: median(times), answers };
}

/** The number of exact answers found, per query. */
function hitsOf(found: readonly Answer[][], exact: readonly Answer[][]): number[] {
  return found.map((answers, i) => {
    const wanted = new Set(exact[i].map(({ id }) => id));
    return answers.filter(({ id }) => wanted.has(id)).length;
  });
}

/** The share of exact answers found. */
const recallOf = (found: readonly Answer[][], exact: readonly Answer[][]): string =>
  (hitsOf(found, exact).reduce((sum, hit) => sum + hit, 0) / (found.length * TOP)).toFixed(4);

/** Median times of our exact search on the GPU, in ms: for one query, and for all of them at once. */
async function askOwn(gpu: Gpu, rows: Float32Array, queries: Float32Array): Promise<readonly [number, number]> {
  const index = new ExactIndex(gpu, D);
  index.add(rows);
  await index.search(queries, TOP); // compiles
  const one: number[] = [];
  for (let i = 0; i < 50; i++) one.push((await timed(() => index.search(rowOf(queries, i), TOP))).ms);
  const all: number[] = [];
  for (let i = 0; i < 5; i++) all.push((await timed(() => index.search(queries, TOP))).ms);
  index.dispose();
  return [median(one), median(all)];
}

/** Median times of exact search with numpy, in ms, for one query and all of them; null if Python has no numpy. */
function askNumpy(folder: string, rows: Float32Array, queries: Float32Array): readonly [number, number] | null {
  writeFileSync(join(folder, 'rows'), rows);
  writeFileSync(join(folder, 'queries'), queries);
  const script = `
import numpy, statistics, time
rows = numpy.fromfile('rows', numpy.float32).reshape(-1, ${D})
queries = numpy.fromfile('queries', numpy.float32).reshape(-1, ${D})
def search(asked):
    scores = asked @ rows.T
    best = numpy.argpartition(-scores, ${TOP}, axis=1)[:, :${TOP}]
    order = numpy.argsort(-numpy.take_along_axis(scores, best, 1), axis=1)
    return numpy.take_along_axis(best, order, 1)
def median(batches):
    times = []
    for batch in batches:
        begin = time.perf_counter()
        search(batch)
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times)
print(median([queries[i:i + 1] for i in range(50)]), median([queries] * 5))
`;
  const { status, stdout } = spawnSync('python3', ['-c', script], { cwd: folder, encoding: 'utf8' });
  if (status !== 0) return null;
  const [one, all] = stdout.split(' ').map(Number);
  return [one, all];
}

const number = (value: number | undefined): string =>
  value === undefined ? '-' : value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);

function print(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const lines = [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows].map((row) => `| ${row.join(' | ')} |`);
  process.stdout.write(`\n${lines.join('\n')}\n`);
}

/** Compares all kinds of galleries. */
async function compare(gpu: Gpu, folder: string): Promise<void> {
  const databases: string[][] = [];
  const own: string[][] = [];
  const approximate: string[][] = [];
  const server = await startServer();
  const others = [await startServer(), await startServer()];
  try {
    if (!server.isReal) throw new Error('bench:search needs Postgres with pgvector. Install both, or pass --files.');
    const shards = others.map(({ url }) => `${url}/postgres`);
    for (const size of sizes) {
      const rows = clustered(size);
      const queries = clustered(QUERIES);
      const schema = `schema=rows_${size}`;
      let truth: Answer[][] | undefined; // exact answers of f32
      for (const { where, to, ...stored } of [
        { where: 'server', to: `${server.url}/postgres?${schema}` },
        { where: 'server, f16', to: `${server.url}/postgres?${schema}_half`, numbers: 'f16' as const },
        { where: '2 shards', to: `${server.url}/postgres?${schema}_spread`, shards },
        { where: 'pglite', to: 'pglite:memory://' },
      ]) {
        if (where === 'pglite' && size > MOST_EMBEDDED) continue;
        const gallery = await openDatabaseGallery(to, STAMP, stored);
        const filled = await fill(gallery, portionsOf(rows));
        const first = await ask(gallery, queries, undefined, 1);
        const exact = await ask(gallery, queries);
        truth ??= exact.answers;
        const isIndexed = size <= MOST_INDEXED;
        const built = isIndexed ? (await timed(() => gallery.buildIndex())).ms / 1000 : undefined;
        for (const efSearch of isIndexed ? EF_SEARCH : []) {
          const { ms, answers } = await ask(gallery, queries, efSearch);
          const lost = hitsOf(answers, truth).filter((hit) => hit === 0).length;
          approximate.push([String(size), where, String(efSearch), recallOf(answers, truth), String(lost), number(ms)]);
        }
        await gallery.close();
        const times = [filled / 1000, built, first.ms, exact.ms].map(number);
        databases.push([String(size), where, ...times, recallOf(exact.answers, truth)]);
      }
      for (const numbers of ['f32', 'f16'] as const) {
        const to = join(folder, `rows_${size}_${numbers}`);
        const files = await measureFiles(gpu, to, portionsOf(rows), queries, numbers);
        const times = [files.filled / 1000, undefined, files.first, files.ms].map(number);
        databases.push([String(size), `files, ${numbers}`, ...times, recallOf(files.answers, truth ?? [])]);
      }
      const numpy = askNumpy(folder, rows, queries);
      const times = [...(await askOwn(gpu, rows, queries)), numpy?.[0], numpy?.[1]];
      own.push([String(size), ...times.map(number)]);
    }
  } finally {
    for (const each of [server, ...others]) await each.remove();
  }
  print(
    ['rows', 'in', 'inserted, s', 'HNSW built, s', 'first exact query, ms', 'later ones, ms', `recall@${TOP}`],
    databases,
  );
  print(['rows', 'ours, ms', `${QUERIES} at once, ms`, 'numpy, ms', `${QUERIES} at once, ms`], own);
  print(['rows', 'in', 'ef_search', `recall@${TOP}`, `of ${QUERIES}, none right`, 'ms'], approximate);
}

async function compareFiles(gpu: Gpu, folder: string): Promise<void> {
  const table: string[][] = [];
  for (const size of sizes) {
    const to = join(folder, `rows_${size}`);
    const { filled, opened, first, ms } = await measureFiles(gpu, to, drawn(size), clustered(QUERIES));
    const peak = process.resourceUsage().maxRSS / 1024; // of the process so far
    table.push([String(size), String(D), ...[filled / 1000, opened / 1000, first, ms, peak].map(number)]);
  }
  print(['rows', 'd', 'inserted, s', 'opened, s', 'first query, ms', 'query, ms', 'peak memory, MiB'], table);
}

const folder = mkdtempSync(join(tmpdir(), 'romo-bench-'));
const gpu = await openDevice();
try {
  await (options.files ? compareFiles : compare)(gpu, folder);
} finally {
  gpu.close();
  rmSync(folder, { recursive: true, force: true });
}

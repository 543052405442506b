/**
 * `npm run bench:search [-- ROWS...]`: galleries in Postgres with pgvector, exact and by an HNSW index, and in files, beside our own
 * exact search and numpy's. Prints the tables of docs/search.md. Starts a server of its own; needs Postgres with pgvector.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabaseGallery } from '../../src/search/database.ts';
import { ExactIndex } from '../../src/search/exact.ts';
import { openFileGallery } from '../../src/search/file_gallery.ts';
import type { Answer, Entry, Gallery, ModelStamp } from '../../src/search/gallery.ts';
import { type Gpu, openDevice } from '../../src/tensor/device.ts';
import { Random } from '../../src/tensor/random.ts';
import { startServer } from '../../test/support/postgres.ts';

const D = 128;
const CLUSTERS = 100;
const SPREAD = 0.7; // length of the noise beside a centre of length 1
const QUERIES = 200;
const FROM_FILES = 20; // queries of files, which are read from the disk each time
const TOP = 10;
const EF_SEARCH = [10, 20, 40, 80, 160, 320];
const PER_CALL = 5_000;
const MOST_EMBEDDED = 10_000; // rows in PGlite
const MOST_INDEXED = 100_000; // rows in an HNSW graph: beyond, building takes more than minutes
const STAMP: ModelStamp = { sha256: '0'.repeat(64), stage: 'rdl', dimension: D };

const sizes = process.argv.slice(2).map(Number);
if (sizes.length === 0) sizes.push(1_000, 10_000, 100_000, 1_000_000);

function unit(values: readonly number[]): number[] {
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

const random = new Random(1, 'bench:search');
const draw = () => random.normal();
const centres = Array.from({ length: CLUSTERS }, () => unit(Array.from({ length: D }, draw)));

/** Unit rows [count, D] around the centres, in turn. */
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

async function fill(gallery: Gallery, rows: Float32Array): Promise<number> {
  const count = rows.length / D;
  let ms = 0;
  for (let start = 0; start < count; start += PER_CALL) {
    const entries = Array.from({ length: Math.min(PER_CALL, count - start) }, (_, i): Entry => {
      const row = start + i;
      const metadata = { category: row % CLUSTERS };
      return { id: String(row), modality: 'image', vector: rowOf(rows, row), metadata };
    });
    ms += (await timed(() => gallery.upsert(entries))).ms;
  }
  return ms;
}

/** Queries one by one, as users come. */
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

/** Of the exact answers to each query, how many were found. */
function hitsOf(found: readonly Answer[][], exact: readonly Answer[][]): number[] {
  return found.map((answers, i) => {
    const wanted = new Set(exact[i].map(({ id }) => id));
    return answers.filter(({ id }) => wanted.has(id)).length;
  });
}

/** Medians of our exact search on the GPU in ms: one query, and all of them. */
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

/** Medians of exact search by numpy in ms, one query and all of them; null where Python has no numpy. */
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

const folder = mkdtempSync(join(tmpdir(), 'romo-bench-'));
const server = await startServer();
if (!server.isReal) throw new Error('bench:search needs Postgres with pgvector');
const gpu = await openDevice();
try {
  const databases: string[][] = [];
  const others: string[][] = [];
  const approximate: string[][] = [];
  for (const size of sizes) {
    const rows = clustered(size);
    const queries = clustered(QUERIES);
    for (const [where, to] of [
      ['server', `${server.url}/postgres?schema=rows_${size}`],
      ['pglite', 'pglite:memory://'],
    ]) {
      if (where === 'pglite' && size > MOST_EMBEDDED) continue;
      const gallery = await openDatabaseGallery(to, STAMP);
      const filled = await fill(gallery, rows);
      const exact = await ask(gallery, queries);
      const isIndexed = size <= MOST_INDEXED;
      const built = isIndexed ? (await timed(() => gallery.buildIndex())).ms / 1000 : undefined;
      for (const efSearch of isIndexed ? EF_SEARCH : []) {
        const { ms, answers } = await ask(gallery, queries, efSearch);
        const hits = hitsOf(answers, exact.answers);
        const recall = hits.reduce((sum, hit) => sum + hit, 0) / (QUERIES * TOP);
        const lost = hits.filter((hit) => hit === 0).length;
        approximate.push([String(size), where, String(efSearch), recall.toFixed(4), String(lost), number(ms)]);
      }
      await gallery.close();
      databases.push([String(size), where, number(filled / 1000), number(exact.ms), number(built)]);
    }
    const files = await openFileGallery(join(folder, `rows_${size}`), STAMP, async () => gpu);
    const filled = await fill(files, rows);
    const exact = await ask(files, queries, undefined, FROM_FILES);
    databases.push([String(size), 'files', number(filled / 1000), number(exact.ms), '-']);
    await files.close();
    const numpy = askNumpy(folder, rows, queries);
    const own = await askOwn(gpu, rows, queries);
    others.push([String(size), number(own[0]), number(own[1]), number(numpy?.[0]), number(numpy?.[1])]);
  }
  print(['rows', 'in', 'inserted, s', 'exact, ms', 'HNSW built, s'], databases);
  print(['rows', 'ours, ms', `${QUERIES} at once, ms`, 'numpy, ms', `${QUERIES} at once, ms`], others);
  print(['rows', 'in', 'ef_search', `recall@${TOP}`, `of ${QUERIES}, none right`, 'ms'], approximate);
} finally {
  gpu.close();
  await server.remove();
  rmSync(folder, { recursive: true, force: true });
}

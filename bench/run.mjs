/**
 * `npm run bench`: ours and the peers in turn on one adapter, each workload of each implementation in its own process.
 *
 *   --only NAME,..    workloads whose names start with one of these
 *   --peers NAME,..   of tfjs, jaxjs, ort, pytorch, pytorch-cuda, pytorch-cuda-tf32; `none` for ours alone
 *   --adapter NAME    part of the adapter's name
 *   --growth          growth of times with the number of points and gallery rows, instead of the standard workloads
 *   --large           also sizes for a real GPU; automatic unless the adapter is a software adapter
 *   --ceilings        the adapter's limits of arithmetic and memory, instead of workloads
 *   --rounds N        rounds over all implementations, whose times are pooled (1)
 *   --seconds N       time after which no further run of a workload starts (45)
 *   --out FOLDER      default: bench/ for a complete run, runs/bench/ otherwise
 *
 * Writes RESULTS.md and results.json (or GROWTH.md, CEILINGS.md, ...), and keeps the results of other adapters in them.
 */
import { constants, cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setUp } from '../tools/setup.mjs';
import { buildBench, librarySize } from './build.mjs';
import { findPython, installPeers, startWorker } from './processes.mjs';
import { judgeRow, printTable, writeResults } from './report.mjs';
import { GROWTH, LARGE, STANDARD, WEBGPU_PEERS } from './workloads.mjs';

const PYTORCH = ['pytorch', 'pytorch-cuda', 'pytorch-cuda-tf32'];
const COLD_STARTS = 5;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    peers: { type: 'string' },
    adapter: { type: 'string' },
    growth: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    ceilings: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '45' },
    out: { type: 'string' },
  },
});
// Stopping the bench also stops its worker; see processes.mjs.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => process.exit(128 + constants.signals[signal]));
process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const environment = await setUp();
process.exitCode = environment ? await bench(environment) : 1;

async function bench(environment) {
  await buildBench();
  const start = (implementation, workload, more = {}) =>
    startWorker(implementation, workload, { ...options, environment: { ...environment, ...more } });
  const about = await start('ours', { name: 'about' });
  if (about.error) {
    console.error(about.error);
    return 1;
  }
  console.log(`Adapter: ${about.adapter}`);
  const run = { ...about, date: new Date().toISOString().slice(0, 10), node: process.versions.node };
  Object.assign(run, {
    seconds: Number(options.seconds),
    rounds: Number(options.rounds),
    cpu: `${cpus()[0].model}, ${cpus().length} threads`,
    versions: {},
    library: await librarySize(),
  });
  if (options.ceilings) {
    const ceilings = await start('ceilings', { name: 'ceilings' });
    return finish({ ...run, ...ceilings }, 'ceilings', ceilings.error ? 1 : 0);
  }
  const chosen = await choosePeers();
  const workloads = chooseWorkloads(about.software);
  if (workloads.length === 0) {
    console.error(
      `bench: no workload starts with ${options.only}; known: ${all(about.software)
        .map((w) => w.name)
        .join(' ')}`,
    );
    return 2;
  }
  run.rows = [];
  for (const workload of workloads) {
    run.rows.push(await runWorkload(workload, ['ours', ...chosen], start, run));
  }
  const failed = run.rows.some((row) => row.results.ours.error || row.mismatches.length > 0);
  return finish(run, options.growth ? 'growth' : 'results', failed ? 1 : 0);
}

function all(software) {
  if (options.growth) return GROWTH;
  return options.large || !software ? [...STANDARD, ...LARGE] : STANDARD;
}

function chooseWorkloads(software) {
  const beginnings = options.only?.split(',');
  return all(software).filter(({ name }) => !beginnings || beginnings.some((beginning) => name.startsWith(beginning)));
}

async function choosePeers() {
  const known = [...WEBGPU_PEERS, ...PYTORCH];
  const asked = options.peers === 'none' ? [] : (options.peers?.split(',') ?? known);
  const unknown = asked.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`bench: unknown peer ${unknown.join(', ')}; known: ${known.join(', ')}, none`);
  if (asked.some((name) => WEBGPU_PEERS.includes(name))) await installPeers();
  const python = asked.some((name) => PYTORCH.includes(name)) ? findPython() : null;
  return asked.filter((name) => {
    if (!PYTORCH.includes(name)) return true;
    if (!python) console.log(`${name} is skipped: no python3 with torch was found`);
    else if (name !== 'pytorch' && !python.cuda) console.log(`${name} is skipped: torch ${python.version} has no CUDA`);
    return python && (name === 'pytorch' || python.cuda);
  });
}

/** Runs all implementations of a workload in turn, `rounds` times. */
async function runWorkload(workload, implementations, start, run) {
  const results = {};
  const rounds = workload.kind === 'cold' ? COLD_STARTS : Number(options.rounds);
  for (let round = 0; round < rounds; round++) {
    for (const implementation of implementations) {
      if (!workload.peers.includes(implementation) || results[implementation]?.error) continue;
      const more = workload.noCache ? { MESA_SHADER_CACHE_DISABLE: 'true' } : {};
      process.stderr.write(`${workload.name}: ${implementation} ...\n`);
      const result = await start(implementation, workload, more);
      run.versions[implementation] ??= result.about?.version;
      delete result.about;
      const times = [...(results[implementation]?.times ?? []), ...(result.times ?? [])];
      results[implementation] = result.error ? result : { ...results[implementation], ...result, times };
    }
  }
  const row = judgeRow(workload, results, run);
  printTable([row]);
  return row;
}

function finish(run, name, code) {
  if (run.error) console.error(run.error);
  const whole = !options.only && !options.peers;
  const folder = options.out ?? (whole ? 'bench' : join('runs', 'bench'));
  if (run.rows?.length > 1) printTable(run.rows);
  if (!run.error) console.log(`Written: ${writeResults(folder, name, run).join(', ')}`);
  return code;
}

/** Writes RESULTS.md, GROWTH.md and CEILINGS.md. */
import { cell, implementationsOf, short, targetText } from './cells.mjs';

const BUNDLE_LIMIT = 60 * 1024;

const NOTES = `Times are in milliseconds: median [min..max], and their ratio to ours. All values are f32; inputs and
weights are the same for all, from integer hashes. Each workload of each implementation ran in its own process, in
turn on the same adapter: 2 warm-up runs, then at least 7 timed runs if they fit into the seconds given below (n: the
number of runs, if fewer). One element of the result is read after each run. Ours is recorded once and replayed.
jax-js uses one \`jit\` per function; DGCNN and EdgeConv's backward are split at the gather, whose gradient its jit
does not support. TensorFlow.js runs eagerly in a tidy. Times of onnxruntime include the upload of the inputs and the
readback of the whole output. Outputs are compared with ours: the root mean square and 64 elements of every output and
gradient, 64 rows of neighbours, or the first losses. "Deviation" is the largest difference as a multiple of its
tolerance: above 1, the table says WRONG and the run fails. Only ours and PyTorch update the running statistics of
batch norm. GFLOP/s count the textbook form of EdgeConv, which ours does not compute. The hand-tuned ceilings are from
a Xeon with AVX-512; on another CPU they are a guide, not a bound.`;

const REFERENCE_BLAS = `**PyTorch ran with the reference BLAS**, which is many times slower in matrix products than an
optimised one (OpenBLAS, MKL). Targets met against it do not show that ours is faster than PyTorch.`;

const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map((_, i) => (i ? '---:' : '---'))), ...rows.map(row)].join('\n');
const mebibytes = (bytes) => (Number.isFinite(bytes) ? short(bytes / 2 ** 20) : '');

function heading(run) {
  const { adapter, cpu, date, node, seconds, rounds, versions = {} } = run;
  const peers = Object.entries(versions).filter(([, version]) => version);
  const list = peers.map(([name, version]) => `${name} ${version}`).join(', ');
  const lengths = run.rows ? `; ${seconds} s per workload, ${rounds} round${rounds > 1 ? 's' : ''}` : '';
  const warning = versions.pytorch?.includes('reference BLAS') ? `\n\n${REFERENCE_BLAS}` : '';
  return `## ${adapter}\n\n${cpu}; Node ${node}; ${date}${lengths}${list ? `; ${list}` : ''}.${warning}`;
}

function errorsOf(rows) {
  const errors = rows.flatMap((entry) =>
    Object.entries(entry.results)
      .filter(([, { error }]) => error)
      .map(([name, { error }]) => `- ${name}, ${entry.workload}: ${error.split('\n')[0].slice(0, 200)}`),
  );
  return errors.length > 0 ? ['Errors:', errors.join('\n')] : [];
}

const bundleTarget = ({ gzip }) => ({
  text: 'library for pages, minified, gzip',
  unit: 'bytes',
  value: gzip,
  limit: BUNDLE_LIMIT,
  met: gzip <= BUNDLE_LIMIT,
});

function verdicts(run) {
  const list = run.rows.flatMap(({ workload, targets }) => targets.map((target) => ({ workload, ...target })));
  list.push({ workload: 'bundle', ...bundleTarget(run.library) });
  const mark = { true: 'met', false: '**missed**', null: 'not measured' };
  const cells = ({ workload, text, unit, value, limit, met, runs }) => [
    workload,
    text,
    met === null ? '' : short(value),
    met === null ? '' : `${short(limit)} ${unit}`,
    runs < 3 && met !== null ? `${mark[met]}, n=${runs}` : mark[met],
  ];
  const met = list.filter((target) => target.met).length;
  const measured = list.filter((target) => target.met !== null).length;
  return [
    `### Targets: ${met} of ${measured} met`,
    table(['workload', 'target', 'ours', 'limit', ''], list.map(cells)),
  ];
}

function times(rows) {
  const names = implementationsOf(rows);
  const head = ['workload', 'ours GFLOP/s', ...names, 'targets'];
  const cells = rows.map((entry) => [
    entry.workload,
    short(entry.results.ours?.gflops),
    ...names.map((name) => cell(entry, name)),
    entry.targets.map(targetText).join('; '),
  ]);
  return table(head, cells);
}

function checks(rows) {
  const names = implementationsOf(rows).filter((name) => name !== 'ours');
  const cells = rows.map((entry) => [
    entry.workload,
    entry.results.ours?.check ?? '',
    ...names.map((name) => {
      const result = entry.results[name];
      return Number.isFinite(result?.deviation) ? short(result.deviation) : result?.check ? 'WRONG' : '';
    }),
  ]);
  return ['### Outputs compared: deviation', table(['workload', 'ours', ...names], cells)];
}

function host(rows) {
  const steps = rows.filter(({ results }) => results.ours?.createdPerStep !== undefined);
  const cells = steps.map(({ workload, results: { ours, tfjs, jaxjs } }) => [
    workload,
    short(ours.hostMs),
    ours.dispatches ?? '',
    `${ours.createdPerStep} / ${ours.createdBytesPerStep}`,
    short(ours.eager?.hostMs),
    ours.eager ? `${short(ours.eager.createdPerStep)} / ${short(ours.eager.groupsPerStep)}` : '',
    ours.busyShare ? `${Math.round(100 * ours.busyShare)} %` : '',
    ...[ours, tfjs, jaxjs].map((result) => mebibytes(result?.peakBytes)),
    short(ours.perSecond),
  ]);
  const head = ['workload', 'JavaScript ms per replayed step', 'dispatches', 'GPU buffers / bytes created per step'];
  head.push('JavaScript ms, eager', 'buffers / bind groups created, eager', 'device busy');
  head.push('peak MiB ours', 'tfjs', 'jaxjs', 'items per second, ours');
  return ['### JavaScript time and device memory', table(head, cells)];
}

export function resultsText(runs) {
  const parts = ['# Results of `npm run bench`', NOTES];
  for (const run of runs) {
    const blocks = [times(run.rows), ...errorsOf(run.rows), ...verdicts(run), ...host(run.rows), ...checks(run.rows)];
    parts.push(heading(run), ...blocks);
  }
  return `${parts.join('\n\n')}\n`;
}

/** Growth: the same tables without targets, with a comparison of outputs if there are peers. Ceilings: a list. */
export function growthText(runs, name) {
  const parts = [`# Results of \`npm run bench -- --${name}\``];
  for (const run of runs) {
    parts.push(heading(run));
    if (run.rows) {
      parts.push(times(run.rows), ...errorsOf(run.rows), ...host(run.rows));
      if (implementationsOf(run.rows).length > 1) parts.push(...checks(run.rows));
    } else parts.push(table(['what', 'median', 'best', 'unit'], run.ceilings.map(ceilingCells)));
  }
  return `${parts.join('\n\n')}\n`;
}

const ceilingCells = ({ what, median, best, unit }) => [what, short(median), short(best), unit];

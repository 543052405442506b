/** RESULTS.md, GROWTH.md and CEILINGS.md. */
import { cell, implementationsOf, short, targetText } from './cells.mjs';

const BUNDLE_LIMIT = 60 * 1024;

const NOTES = `Milliseconds: median [least..most], and how many times longer than ours. All f32, the same inputs and weights by integer hash.
Each workload of each implementation ran in a process of its own, in turn on the same adapter: 2 warm-ups, then at least 7
runs where they fit into the seconds named below (n: how many, where fewer); one element of the result is read after each. Ours is recorded once and replayed; jax-js is one
\`jit\` per function (DGCNN and EdgeConv's backward are split at the gather, whose gradient its jit refuses); TensorFlow.js is eager
in a tidy; onnxruntime counts the upload of the inputs and the read of the whole output. Outputs are compared with ours: the
root mean square and 64 elements of every output and gradient, 64 rows of neighbours, or the first losses. "Deviation" is the
worst of these in units of what is allowed: above 1 it says WRONG, and the run fails.
Running statistics of batch norm are kept by ours and PyTorch, not by the other peers. GFLOP/s count the textbook form of
EdgeConv, which ours does not compute. The hand-tuned ceilings are from a Xeon with AVX-512: on another CPU they are a
yardstick, no bound.`;

const REFERENCE_BLAS = `**PyTorch ran with the reference BLAS**, many times slower in matrix products than an optimised one (OpenBLAS, MKL): nothing
that is met against it here says that ours is faster than PyTorch.`;

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
  head.push('JavaScript ms, not recorded', 'buffers / bind groups created, not recorded', 'device at work');
  head.push('peak MiB ours', 'tfjs', 'jaxjs', 'items per second, ours');
  return ['### The host, and memory of the device', table(head, cells)];
}

export function resultsText(runs) {
  const parts = ['# Results of `npm run bench`', NOTES];
  for (const run of runs) {
    const blocks = [times(run.rows), ...errorsOf(run.rows), ...verdicts(run), ...host(run.rows), ...checks(run.rows)];
    parts.push(heading(run), ...blocks);
  }
  return `${parts.join('\n\n')}\n`;
}

/** Growth: the same tables, without targets; outputs are compared where there are peers. Ceilings: a list. */
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

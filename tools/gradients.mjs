/**
 * `npm run test:gradients [-- --markdown]`: runs the property-based checks of all ops and prints, per op, how many cases were
 * compared and the worst error. Fails where a check fails or a differentiable op has no gradient check.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';
import { setUp } from './setup.mjs';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const markdown = process.argv.includes('--markdown');
const environment = await setUp();
process.exitCode = environment ? await checkAll(environment) : 1;

async function checkAll(environment) {
  const built = await run(process.execPath, ['tools/build.mjs']);
  if (built !== 0) return built;
  const folder = mkdtempSync(join(tmpdir(), 'romo-gradients-'));
  const failed = [];
  try {
    for (const name of filesWithChecks()) {
      const path = join('dist', 'test', 'gpu', name);
      const words = ['--enable-source-maps', path];
      if ((await run(process.execPath, words, { ...environment, ROMO_GRADIENT_RECORDS: folder })) !== 0)
        failed.push(path);
    }
    const rows = readRecords(folder);
    await print(rows);
    const unchecked = differentiableOps().filter((op) => !rows.get(op)?.gradient);
    for (const path of failed) console.log(`FAILED: ${path}`);
    for (const op of unchecked) console.log(`FAILED: the op ${op} has no gradient check`);
    return failed.length + unchecked.length > 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Test files that compare with references. */
function filesWithChecks() {
  const sources = readdirSync('test/gpu').filter((name) => name.endsWith('.test.ts'));
  const checks = sources.filter((name) =>
    /gradcheck\(|recordError\(/.test(readFileSync(join('test/gpu', name), 'utf8')),
  );
  return checks.map((name) => name.replace(/\.ts$/, '.js'));
}

/** op -> { forward, gradient, adjoint }, over all processes. */
function readRecords(folder) {
  const rows = new Map();
  for (const name of readdirSync(folder)) {
    for (const [op, checks] of JSON.parse(readFileSync(join(folder, name), 'utf8'))) {
      const row = rows.get(op) ?? {};
      for (const [check, { cases, worst, bound }] of Object.entries(checks)) {
        const before = row[check] ?? { cases: 0, worst: 0, bound: 0 };
        row[check] = {
          cases: before.cases + cases,
          worst: Math.max(before.worst, worst),
          bound: Math.max(before.bound, bound),
        };
      }
      rows.set(op, row);
    }
  }
  return new Map([...rows].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Names of all ops with a gradient, as the sources define them. */
function differentiableOps() {
  const text = (name) => readFileSync(join('src/autograd', name), 'utf8');
  const names = readdirSync('src/autograd').flatMap((name) =>
    [...text(name).matchAll(/= differentiable<[^(]*\(\{\s*name: '(\w+)'/g)].map((match) => match[1]),
  );
  const keys = (body) => [...body.matchAll(/^ {2}(\w+): \[/gm)].map((match) => match[1]);
  const unary = keys(/export const UNARY = \{([\s\S]*?)\n\}/.exec(text('pointwise.ts'))[1]);
  const binary = [...text('pointwise.ts').matchAll(/= binary\('(\w+)'\)/g)].map((match) => match[1]);
  const losses = [...text('losses.ts').matchAll(/export function (\w+)\(/g)].map((match) => match[1]);
  return [...names.filter((name) => name !== 'rowLoss'), ...unary, ...binary, ...losses].sort();
}

async function print(rows) {
  const head = ['op', 'cases', 'forward', 'bound', 'gradients', 'worst', 'bound', 'adjoint', 'worst', 'bound'];
  const cells = (entry) => (entry ? [entry.worst.toExponential(1), entry.bound.toExponential(0)] : ['', '']);
  const table = [...rows].map(([op, { forward, gradient, adjoint }]) => [
    op,
    forward?.cases ?? '',
    ...cells(forward),
    gradient?.cases ?? '',
    ...cells(gradient),
    adjoint?.cases ?? '',
    ...cells(adjoint),
  ]);
  if (markdown) {
    for (const row of [head, head.map(() => '---'), ...table]) console.log(`| ${row.join(' | ')} |`);
  } else {
    const { default: Table } = await import('cli-table3');
    const printed = new Table({
      head,
      style: { head: [], border: [] },
      colAligns: head.map((_, i) => (i ? 'right' : 'left')),
    });
    printed.push(...table);
    console.log(printed.toString());
  }
  console.log(`seed ${process.env.ROMO_TEST_SEED ?? 1}; another one: ROMO_TEST_SEED=N`);
}

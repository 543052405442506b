/**
 * `npm run test:gradients [-- --markdown]`: runs the property-based checks of all ops and prints, per op, how many cases were
 * compared and the worst error. Fails if a check fails or a differentiable op has no gradient check.
 * ROMO_TEST_SEED draws other cases; a failing case is shrunk and printed with its seed.
 */
import { spawnSync } from 'node:child_process';
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
  const failures = [];
  try {
    for (const name of filesWithChecks()) {
      const path = join('dist', 'test', 'gpu', name);
      const { status, stdout, stderr } = spawnSync(process.execPath, ['--enable-source-maps', path], {
        env: { ...environment, ROMO_GRADIENT_RECORDS: folder },
        encoding: 'utf8',
      });
      if (!markdown || status !== 0) console.log(`${status === 0 ? 'ok' : `FAILED\n${stdout}\n${stderr}`}  ${path}`);
      if (status !== 0) failures.push(path);
    }
    const rows = readRecords(folder);
    await print(rows);
    for (const op of differentiableOps()) {
      if (!rows.get(op)?.gradient) failures.push(`the op ${op} has no gradient check`);
    }
    for (const failure of failures) console.log(`FAILED: ${failure}`);
    return failures.length > 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The test files that compare with references. */
function filesWithChecks() {
  const sources = readdirSync('test/gpu').filter((name) => name.endsWith('.test.ts'));
  const checks = sources.filter((name) =>
    /gradcheck\(|assertValues\(|recordError\(/.test(readFileSync(join('test/gpu', name), 'utf8')),
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

/**
 * All ops with a gradient, found in the sources. Ops that a helper defines (pointwise.ts) are named where that helper is
 * called. `labelLoss` and `rowLoss` stand for the losses. A name with a dot is a step of the op before the dot.
 */
function differentiableOps() {
  const ops = new Set();
  for (const file of readdirSync('src/autograd').filter((name) => name !== 'tape.ts')) {
    const text = readFileSync(join('src/autograd', file), 'utf8');
    for (const definition of text.split(/\bdifferentiable[<(]/).slice(1)) {
      const name = /\bname(?:: '([\w.]+)')?,/.exec(definition)[1];
      const losses = /^export function (\w+)\(/gm;
      const of = { labelLoss: losses, rowLoss: losses, undefined: /= (?:unary|binary)\('(\w+)'\)/g }[name];
      const names = of ? [...text.matchAll(of)].map((match) => match[1]) : [name.split('.')[0]];
      if (names.length === 0) throw new Error(`${file}: no names found for the ops of its table`);
      for (const found of names) ops.add(found);
    }
  }
  return ops;
}

async function print(rows) {
  const head = ['op', 'values', 'error', 'bound', 'derivatives', 'error', 'bound', 'adjoints', 'error', 'bound'];
  const table = [...rows].map(([op, { forward, gradient, adjoint }]) => [
    op,
    ...[forward, gradient, adjoint].flatMap((entry) =>
      entry ? [`${entry.cases}`, number(entry.worst, 1), number(entry.bound, 0)] : ['', '', ''],
    ),
  ]);
  if (markdown) {
    const rule = head.map((_, i) => (i === 0 ? '---' : '---:'));
    for (const row of [head, rule, ...table]) console.log(`| ${row.join(' | ')} |`);
  } else {
    const { default: Table } = await import('cli-table3');
    const printed = new Table({
      head,
      style: { head: [], border: [], compact: true },
      colAligns: head.map((_, i) => (i ? 'right' : 'left')),
    });
    printed.push(...table);
    console.log(printed.toString());
  }
  const total = (check) => [...rows.values()].reduce((sum, row) => sum + (row[check]?.cases ?? 0), 0);
  console.log(
    `\n${rows.size} ops: values of ${total('forward')} cases, ${total('gradient')} directional derivatives and ` +
      `${total('adjoint')} adjoint identities, each with its worst relative error.\n` +
      `Seed ${process.env.ROMO_TEST_SEED ?? 1}; ROMO_TEST_SEED=N draws other cases.`,
  );
}

function number(value, digits) {
  return value === 0 ? '0' : value.toExponential(digits);
}

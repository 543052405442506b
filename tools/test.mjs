/**
 * `npm test [group...] [--no-browser]`: sets up the machine, checks format, lint and types, builds, then runs each test file in its
 * own process, three at a time. The last line is always `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { judge, summaryLine } from './report.mjs';
import { npm, run } from './run.mjs';
import { setUp } from './setup.mjs';

const groups = ['pure', 'gpu', 'commands', 'parity', 'browser', 'web'];
const inBrowser = ['browser', 'web'];
const secondsPerFile = 480;

/** The files that take longest, longest first. They start first, so that no lane is left alone with one of them. */
const longest = [
  'web/look',
  'web/search',
  'web/train',
  'browser/identity',
  'web/host',
  'commands/find_itself',
  'commands/data_sets',
  'commands/interruptions',
  'commands/search_command',
  'gpu/over_limits',
  'commands/train',
  'pure/database',
  'pure/database_kill',
  'pure/database_server',
  'parity/parity',
].map((name) => join('dist', 'test', `${name}.test.js`));

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => process.exit(128 + constants.signals[signal]));
}
process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const withoutBrowser = process.argv.includes('--no-browser');
const asked = process.argv.slice(2).filter((word) => word !== '--no-browser');
const unknown = asked.filter((name) => !groups.includes(name));
if (unknown.length > 0) {
  console.error(
    `test: unknown group ${unknown.join(', ')}; the groups are ${groups.join(', ')}, and the only option is --no-browser`,
  );
  process.exitCode = 2;
} else {
  const wanted = asked.length > 0 ? groups.filter((name) => asked.includes(name)) : groups;
  const counts = await testAll(wanted.filter((name) => !(withoutBrowser && inBrowser.includes(name))));
  if (withoutBrowser)
    console.log('--no-browser: the pages, and that Node and a browser compute the same bits, were not tested.');
  console.log(summaryLine(counts));
  // A run without any tests has failed, too.
  process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
}

async function testAll(chosen) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const fail = (what) => {
    console.log(`FAILED: ${what}`);
    counts.failed++;
  };
  const environment = await setUp({
    browser: chosen.some((name) => inBrowser.includes(name)),
    postgres: chosen.includes('pure') || chosen.includes('commands'),
  });
  if (!environment) {
    fail('the machine is not ready for the tests; see above');
    return counts;
  }
  // Continues after errors in style or types, because the tests say more about the same change.
  if ((await npm('run', '--silent', 'check')) !== 0) fail('npm run check');
  if ((await run(process.execPath, ['tools/build.mjs'])) !== 0) {
    fail('npm run build');
    return counts;
  }
  const strays = testFiles('.').filter((path) => !groups.includes(path.split(sep)[2]));
  if (strays.length > 0) fail(`test files outside the groups ${groups.join(', ')} never run: ${strays.join(', ')}`);
  for (const group of chosen) if (testFiles(group).length === 0) fail(`no test files in test/${group}`);
  // Many tests mostly wait, for a browser or a child process. At most two lanes open browsers, which take much memory.
  const isInBrowser = (name) => inBrowser.includes(name);
  const pages = longestFirst(chosen.filter(isInBrowser).flatMap(runsOf));
  const others = longestFirst(chosen.filter((name) => !isInBrowser(name)).flatMap(runsOf));
  const lanes = [[pages, others], [others, pages], [others]];
  await Promise.all(lanes.map((queues) => testLane(queues, environment, counts)));
  return counts;
}

/** Runs test files one by one until the queues, which other lanes share, are empty. */
async function testLane(queues, environment, counts) {
  const next = () => queues.find((queue) => queue.length > 0)?.shift();
  for (let run = next(); run; run = next()) {
    const { path, limits = '', backend = '' } = run;
    const chosen = { ROMO_TEST_LIMITS: limits, ROMO_TEST_BACKEND: backend };
    // lavapipe without threads of its own: three lanes keep the cores busy, and a command takes a sixth less of them. The
    // tests of the kernels for GPUs keep the threads, which would show races between workgroups.
    const keepsThreads = path.includes(join('test', 'gpu')) && backend !== 'reference';
    if (!keepsThreads) Object.assign(chosen, { LP_NUM_THREADS: '0' });
    const result = await runFile(path, { ...environment, ...chosen });
    const { passed, failed, skipped, problem } = judge(result);
    const skips = skipped > 0 ? `, ${skipped} skipped` : '';
    const verdict = `${failed > 0 ? 'FAILED' : 'ok'}  ${path}${limits ? `, ${limits} limits` : ''}${backend ? `, backend ${backend}` : ''}`;
    console.log(`${verdict}  ${passed} passed${skips}  ${result.seconds.toFixed(1)} s`);
    if (failed > 0 || skipped > 0) console.log(result.output);
    if (problem) console.log(`${path}: ${problem}`);
    counts.passed += passed;
    counts.failed += failed;
    counts.skipped += skipped;
  }
}

/**
 * The runs of a group's files. Those of `gpu` run three times: natively, on the backend that this machine's adapter gets; on the
 * backend `gpu` under the limits that every WebGPU adapter guarantees; and on the backend `reference`.
 */
function runsOf(group) {
  const files = testFiles(group);
  const runs = files.map((path) => ({ path }));
  if (group !== 'gpu') return runs;
  // These files choose their own limits or backends.
  const chooseThemselves = ['finite', 'fitting', 'over_limits', 'pace', 'self_test', 'soak'].map(
    (name) => `${name}.test.js`,
  );
  const again = files.filter((path) => !chooseThemselves.includes(basename(path)));
  // Two run all backends; the others take minutes on this one: `ROMO_TEST_BACKEND=reference node dist/test/gpu/...`.
  const notByDefinition = ['over_limits', 'pace', 'self_test', 'soak'].map((name) => `${name}.test.js`);
  const byDefinition = files.filter((path) => !notByDefinition.includes(basename(path)));
  const onGpu = again.map((path) => ({ path, limits: 'default', backend: 'gpu' }));
  return [...runs, ...onGpu, ...byDefinition.map((path) => ({ path, backend: 'reference' }))];
}

function longestFirst(runs) {
  const rank = ({ path }) => (longest.includes(path) ? longest.indexOf(path) : longest.length);
  return runs.sort((a, b) => rank(a) - rank(b));
}

function testFiles(group) {
  const folder = join('dist', 'test', group);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.test.js'));
  return names.sort().map((name) => join(folder, name));
}

/** Runs one file until it ends or reaches the time limit, and keeps everything it printed. */
function runFile(path, environment) {
  return new Promise((resolve) => {
    const begin = performance.now();
    const seconds = () => (performance.now() - begin) / 1000;
    const child = spawn(process.execPath, ['--enable-source-maps', path], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let timedOut = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
      });
    }
    // Stopping the test run also stops the running test file.
    const stop = () => child.kill('SIGKILL');
    process.once('exit', stop);
    const limit = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, secondsPerFile * 1000);
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      process.off('exit', stop);
      resolve({ output, code, signal, timedOut, seconds: seconds() });
    });
  });
}

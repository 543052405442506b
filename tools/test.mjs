/**
 * `npm test [group...] [--no-browser] [--no-wgpu]`: sets up the machine, checks format, lint and types, builds, then runs each
 * test file in its own process, three at a time. The last line is always `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { denoWords, findDeno } from './deno.mjs';
import { judge, summaryLine } from './report.mjs';
import { npm, run } from './run.mjs';
import { setUp } from './setup.mjs';

const groups = ['pure', 'gpu', 'commands', 'parity', 'wgpu', 'browser', 'web'];
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
  'pure/database_shards',
  'parity/parity',
].map((name) => join('dist', 'test', `${name}.test.js`));

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => process.exit(128 + constants.signals[signal]));
}
process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const withoutBrowser = process.argv.includes('--no-browser');
const withoutWgpu = process.argv.includes('--no-wgpu');
const asked = process.argv.slice(2).filter((word) => word !== '--no-browser' && word !== '--no-wgpu');
const unknown = asked.filter((name) => !groups.includes(name));
if (unknown.length > 0) {
  console.error(
    `test: unknown group ${unknown.join(', ')}; the groups are ${groups.join(', ')}, and the options are --no-browser and --no-wgpu`,
  );
  process.exitCode = 2;
} else {
  const wanted = asked.length > 0 ? groups.filter((name) => asked.includes(name)) : groups;
  const isLeftOut = (name) => (withoutBrowser && inBrowser.includes(name)) || (withoutWgpu && name === 'wgpu');
  const counts = await testAll(wanted.filter((name) => !isLeftOut(name)));
  if (withoutBrowser)
    console.log('--no-browser: the pages, and that Node and a browser compute the same bits, were not tested.');
  if (withoutWgpu) console.log("--no-wgpu: the ops on Firefox's WebGPU (wgpu, in Deno) were not tested, nor its bits.");
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
    deno: !withoutWgpu && chosen.some((name) => ['wgpu', 'browser'].includes(name)),
    postgres: chosen.includes('pure') || chosen.includes('commands'),
    runtimes: chosen.includes('parity'),
  });
  if (!environment) {
    fail('the machine is not ready for the tests; see above');
    return counts;
  }
  // Continues after errors in style or types, because the tests say more about the same change.
  const [check, build] = await Promise.all([
    npm('run', '--silent', 'check'),
    run(process.execPath, ['tools/build.mjs']),
  ]);
  if (check !== 0) fail('npm run check');
  if (build !== 0) {
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
    const chosen = { ROMO_TEST_LIMITS: limits, ROMO_TEST_BACKEND: backend, ROMO_NO_WGPU: withoutWgpu ? '1' : '' };
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
 * The runs of a group's files. Those of `wgpu` run on the backend `gpu`. Those of `gpu` run three times: natively, on the backend
 * that this machine's adapter gets; on the backend `gpu` under the limits that every WebGPU adapter guarantees; and on the
 * backend `reference`.
 */
function runsOf(group) {
  const files = testFiles(group);
  const runs = files.map((path) => ({ path }));
  if (group === 'wgpu') return runs.map(({ path }) => ({ path, backend: 'gpu' })); // what a GPU gets in Firefox
  if (group !== 'gpu') return runs;
  // What these files hold does not depend on the backend, or they choose their limits or backends themselves.
  const once = ['compile', 'finite', 'fitting', 'label_free', 'over_limits', 'pace', 'self_test', 'soak'].map((name) => `${name}.test.js`);
  const again = files.filter((path) => !once.includes(basename(path)));
  const onGpu = again.map((path) => ({ path, limits: 'default', backend: 'gpu' }));
  return [...runs, ...onGpu, ...again.map((path) => ({ path, backend: 'reference' }))];
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
    const isForDeno = path.includes(join('test', 'wgpu'));
    const [program, words] = isForDeno
      ? [findDeno(), denoWords(path)]
      : [process.execPath, ['--enable-source-maps', path]];
    const child = spawn(program, words, {
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

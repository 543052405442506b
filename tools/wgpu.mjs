/**
 * `npm run test:wgpu [-- FILE...]`: every test of `gpu` and `parity` in Deno, whose WebGPU is the one of Firefox (wgpu, naga); `npm test`
 * runs the ops there. FILE is a name such as gpu/conv2d. The last line is `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { denoWords, findDeno } from './deno.mjs';
import { judge, summaryLine } from './report.mjs';
import { run } from './run.mjs';
import { setUp } from './setup.mjs';

const folder = join('dist', 'wgpu');
const secondsPerFile = 1200;

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const environment = await setUp({ deno: true });
const isReady = environment && (await run(process.execPath, ['tools/build.mjs'])) === 0;
const counts = isReady ? await testAll(await build(process.argv.slice(2))) : { passed: 0, failed: 1, skipped: 0 };
console.log(summaryLine(counts));
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;

/** Bundles the tests for Deno. @returns their paths */
async function build(asked) {
  const { default: esbuild } = await import('esbuild'); // installed by the set-up
  const { forDenoTests } = await import('./bundle.mjs');
  const files = ['gpu', 'parity'].flatMap((group) =>
    readdirSync(join('test', group)).map((name) => `${group}/${name}`),
  );
  const tests = files.filter((name) => name.endsWith('.test.ts')).map((name) => name.slice(0, -3));
  const chosen = asked.length > 0 ? asked.map((name) => `${name}.test`) : tests;
  rmSync(folder, { recursive: true, force: true });
  const entryPoints = chosen.map((name) => ({ in: `test/${name}.ts`, out: name }));
  await esbuild.build({ ...forDenoTests, entryPoints, outdir: folder });
  return chosen.map((name) => join(folder, `${name}.js`));
}

/** Runs the files one by one, each in its own process. */
async function testAll(paths) {
  const sums = { passed: 0, failed: 0, skipped: 0 };
  for (const path of paths) {
    const start = performance.now();
    const { status, signal, stdout, stderr, error } = spawnSync(findDeno(), denoWords(path), {
      env: environment,
      encoding: 'utf8',
      timeout: 1000 * secondsPerFile,
      killSignal: 'SIGKILL',
    });
    const seconds = (performance.now() - start) / 1000;
    const timedOut = error?.code === 'ETIMEDOUT';
    const { problem, ...result } = judge({ output: stdout + stderr, code: status, signal, timedOut, seconds });
    console.log(`${result.failed > 0 ? 'FAILED' : 'ok'}  ${path}  ${result.passed} passed  ${seconds.toFixed(1)} s`);
    if (result.failed > 0) console.log(stdout + stderr);
    if (problem) console.log(`${path}: ${problem}`);
    for (const key of Object.keys(sums)) sums[key] += result[key];
  }
  return sums;
}

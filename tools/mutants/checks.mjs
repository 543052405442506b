/** The tests of each kernel, and how to run them with other text in place of the kernel's file. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as esbuild from 'esbuild';

/** The files of test/gpu/ that check the kernels of a WGSL file, fastest first. */
const TESTS = {
  batch_norm: ['batch_norm', 'edge_conv'],
  concat: ['concat'],
  conv2d: ['conv2d'],
  conv2d_columns: ['conv2d'],
  conv2d_winograd: ['conv2d'],
  edge_conv: ['edge_conv'],
  gather: ['gather'],
  kmeans: ['kmeans'],
  knn: ['knn'],
  knn_subgroups: ['knn'],
  l2_normalize: ['l2_normalize'],
  launch: ['pointwise', 'pace'],
  losses: ['losses'],
  matmul: ['matmul'],
  matmul_registers: ['matmul'],
  matmul_subgroups: ['matmul'],
  max_pool2d: ['max_pool2d'],
  memory_bank: ['memory_bank'],
  optimizers: ['optimizers'],
  pointwise: ['pointwise'],
  random: ['random'],
  reduce: ['reduce', 'matmul', 'batch_norm'],
  reverse_graph: ['reverse_graph', 'edge_conv'],
  search: ['search'],
  search_subgroups: ['search'],
  softmax: ['softmax'],
  tiles: ['matmul', 'conv2d'],
  transpose: ['matmul'],
};

/** Tests of all kernels, which run last: bounds, and tensors processed in windows. */
const COMMON = ['bounds', 'windows'];

const MARK = /^MUTANT-VERDICT (.*)$/m;

/** Names of the test files for a WGSL file; throws if there are none, so that a new kernel is not left out. */
export function testsOf(file) {
  const tests = TESTS[basename(file, '.wgsl')];
  if (!tests) throw new Error(`tools/mutants/checks.mjs names no tests for ${file}`);
  return [...tests, ...COMMON];
}

/** Bundles the test files into one program in which the WGSL file `file` reads `text`. */
export async function bundle(root, tests, { file, text }, outfile) {
  await esbuild.build({
    absWorkingDir: root,
    stdin: { contents: tests.map((name) => `import './test/gpu/${name}.test.ts';`).join('\n'), resolveDir: root },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['node'],
    packages: 'external',
    logLevel: 'error',
    ignoreAnnotations: true, // package.json declares modules free of side effects, but tests consist of side effects
    plugins: [
      {
        name: 'mutant',
        setup(build) {
          build.onResolve({ filter: /^uvu$/ }, () => ({ path: join(root, 'tools', 'mutants', 'suite.mjs') }));
          build.onLoad({ filter: /\.wgsl$/ }, ({ path }) => ({
            contents: basename(path) === file ? text : readFileSync(path, 'utf8'),
            loader: 'text',
          }));
        },
      },
    ],
  });
}

/**
 * Runs a bundle until its first failure.
 * @returns { outcome, by, seconds }: outcome is `passed`, `failed`, `timeout` (hung and was stopped), `died` (ended
 *   without a verdict) or `invalid` (a kernel does not compile); `by` says what failed
 */
export function runChecks(path, environment, limitSeconds) {
  return new Promise((resolve) => {
    const begin = performance.now();
    const child = spawn(process.execPath, [path], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const stop = () => child.kill('SIGKILL');
    process.once('exit', stop);
    let timedOut = false;
    const limit = setTimeout(() => {
      timedOut = true;
      stop();
    }, limitSeconds * 1000);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
      });
    }
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      process.off('exit', stop);
      resolve({ ...judge(output, code ?? signal, timedOut), seconds: (performance.now() - begin) / 1000 });
    });
  });
}

function judge(output, ending, timedOut) {
  const line = MARK.exec(output)?.[1];
  if (!line && timedOut) return { outcome: 'timeout', by: 'time-out' };
  if (!line) return { outcome: 'died', by: `the process ended with ${ending}: ${output.slice(-300)}` };
  const { suite, test, message } = JSON.parse(line);
  if (!test) return { outcome: 'passed', by: '' };
  if (/does not compile/.test(message)) return { outcome: 'invalid', by: message };
  return { outcome: 'failed', by: `${suite}: ${test}`, message };
}

/**
 * The same bits in Node (Dawn), in the browser and in Deno (wgpu): all train on the same software adapter (SwiftShader,
 * included with the browser), and every parameter is compared after every step, and the model's file. Other adapters may
 * differ slightly in their losses.
 */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findBrowser, findSwiftShader } from '../../tools/browsers.mjs';
import { denoWords, findDeno } from '../../tools/deno.mjs';
import type { Compiled } from '../support/compile.ts';
import { runInBrowser } from '../support/page.ts';
import { allShaders } from '../support/shaders.ts';
import type { Trace } from './trace.ts';

const test = suite('identity');
const here = dirname(fileURLToPath(import.meta.url));
const browser = findBrowser();
const swiftShader = browser && findSwiftShader(browser);

/**
 * Relative tolerances for losses on different adapters. In the first epoch (4 steps), before k-means sees learnt
 * features, they differ by rounding alone. Later a kNN neighbour, a k-means label or the winner of a maximum flips and
 * the runs diverge, so the mean losses of epochs are compared.
 */
const EPOCH = 4;
const EARLY_TOLERANCE = 1e-4;
const LATE_TOLERANCE = 0.2;

function epochMeans({ steps }: Trace): number[] {
  const epochs = Array.from({ length: steps.length / EPOCH }, (_, i) => steps.slice(i * EPOCH, (i + 1) * EPOCH));
  return epochs.map((epoch) => epoch.reduce((sum, { loss }) => sum + loss, 0) / EPOCH);
}

/** The largest relative difference. */
const apart = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value / b[i] - 1)));

async function traceOf(program: string, words: readonly string[], driver: string | null): Promise<Trace> {
  const env = driver ? { ...process.env, VK_DRIVER_FILES: driver } : process.env;
  const options = { env, maxBuffer: 2 ** 28, timeout: 300_000 };
  const { stdout } = await promisify(execFile)(program, [...words], options);
  return JSON.parse(stdout);
}

const inNode = (driver: string | null, ...words: string[]): Promise<Trace> =>
  traceOf(process.execPath, [join(here, 'trace.node.js'), ...words], driver);

/** The first hash that differs between two traces, in order of computation; null if they are equal. */
function firstDifference(a: Trace, b: Trace): string | null {
  for (const part of ['data', 'kernels'] as const) {
    for (const [name, hash] of Object.entries(a[part])) if (b[part][name] !== hash) return `${part}: ${name}`;
  }
  for (const [i, { stage, step, parameters, loss }] of a.steps.entries()) {
    const other = b.steps[i];
    if (!other || other.stage !== stage || other.step !== step) return `${stage} step ${step} is missing`;
    for (const [name, hash] of Object.entries(parameters)) {
      if (other.parameters[name] !== hash) return `${stage} step ${step}: ${name}`;
    }
    if (!Object.is(loss, other.loss)) return `${stage} step ${step}: the loss`;
  }
  if (a.steps.length !== b.steps.length) return 'the number of steps';
  return a.model === b.model ? null : 'model.safetensors';
}

let reference: Trace;

test('a browser with SwiftShader is installed', () => {
  assert.ok(browser, 'no browser was found: set ROMO_BROWSER, or skip these tests with --no-browser');
  assert.ok(swiftShader, `SwiftShader was not found next to ${browser}`);
});

test('Node, twice: the same bits', async () => {
  const [first, second] = await Promise.all([inNode(swiftShader), inNode(swiftShader)]);
  assert.match(first.adapter, /swiftshader/i);
  assert.is(first.steps.length, 40);
  assert.is(firstDifference(first, second), null);
  reference = first;
});

test('Node and the browser: the same bits', async () => {
  const served = { '/shaders.json': JSON.stringify(allShaders()) };
  const answer = (await runInBrowser(browser as string, join(here, 'trace.browser.js'), { served })) as {
    trace?: Trace;
    compiled?: Compiled;
    error?: string;
  };
  assert.ok(answer.trace, answer.error);
  assert.match(answer.trace.adapter, /swiftshader|google/i);
  const { parameters } = reference.steps[0];
  console.log(
    `${reference.steps.length} steps, ${Object.keys(parameters).length} parameters each, compared by SHA-256`,
  );
  assert.is(firstDifference(reference, answer.trace), null);
  assert.equal(answer.compiled?.errors, [], "every kernel compiles with the browser's Tint");
  assert.ok((answer.compiled?.count ?? 0) > 150, `${answer.compiled?.count} kernels`);
});

const testDeno = process.env.ROMO_NO_WGPU ? test.skip : test;
testDeno('Node and Deno: the same bits', async () => {
  const deno = findDeno();
  assert.ok(deno, 'npm installed no Deno: skip it with --no-wgpu');
  const trace = await traceOf(deno, denoWords(join(here, 'trace.deno.js')), swiftShader);
  assert.match(trace.adapter, /swiftshader/i);
  assert.is(firstDifference(reference, trace), null);
});

test('the comparison notices one bit', async () => {
  const disturbed = await inNode(swiftShader, '--disturb');
  assert.is(firstDifference(reference, disturbed), `ssm step 1: ${Object.keys(reference.steps[0].parameters)[0]}`);
});

test("this machine's own adapter: the same data, a similar loss curve", async () => {
  const own = await inNode(null);
  assert.equal(own.data, reference.data);
  const firstLosses = ({ steps }: Trace) => steps.slice(0, EPOCH).map(({ loss }) => loss);
  const early = apart(firstLosses(own), firstLosses(reference));
  const late = apart(epochMeans(own), epochMeans(reference));
  console.log(`${own.adapter}: losses differ from SwiftShader's by at most ${early.toExponential(1)} in the first`);
  console.log(`${EPOCH} steps; the mean losses of epochs by at most ${late.toExponential(1)}`);
  assert.ok(early <= EARLY_TOLERANCE, `the loss of the first steps differs by ${early}`);
  assert.ok(late <= LATE_TOLERANCE, `the mean loss of an epoch differs by ${late}`);
});

test.run();

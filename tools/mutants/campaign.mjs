/** The run itself: draws mutants, tries several at a time, looks them up in the list of equivalent mutants, and reports. */
import { fork } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, runChecks, testsOf } from './checks.mjs';
import { quotas, shuffled } from './draw.mjs';
import { countsOf, markdown, mutantLine, summary, tableBy } from './report.mjs';
import { mutantsOf } from './sites.mjs';

/** Appended to the other kernels. */
const NUMBERING = 'launch.wgsl';

const LEAST_SHARE = 0.95;

/** A mutant counts as hanging if its checks take this many times as long as those of the real kernel. */
const PATIENCE = 6;
const LEAST_SECONDS = 30;

/** @returns the exit code */
export async function tryMutants(root, environment, { seed, count, only, jobs }) {
  const begin = performance.now();
  const paths = findShaders(root);
  const files = [...paths.keys()].sort();
  const unknown = only.filter((name) => !files.includes(name));
  if (unknown.length > 0)
    throw new Error(`no WGSL file is called ${unknown.join(', ')}; there are ${files.join(', ')}`);
  const sources = new Map(files.map((file) => [file, readFileSync(paths.get(file), 'utf8')]));
  const perFile = quotas(sources, count);
  const chosen = only.length > 0 ? files.filter((file) => only.includes(file)) : files;
  const equivalents = readEquivalents(sources);
  const folder = join(root, 'dist', 'mutants');
  mkdirSync(folder, { recursive: true });
  const compiler = await startCompiler(environment);
  try {
    const limits = await runUnchanged(root, folder, environment, chosen, sources);
    const results = [];
    let invalid = 0;
    const streams = new Map();
    for (const file of chosen) streams.set(file, shuffled(mutantsOf(file, sources.get(file)), file, seed));
    // The next mutant of a file that compiles, or undefined.
    const draw = async (file) => {
      const stream = streams.get(file);
      for (let { value, done } = stream.next(true); !done; { value, done } = stream.next(false)) {
        if (await compiler.valid(readings(value.text, file === NUMBERING ? '' : sources.get(NUMBERING)))) return value;
        invalid++;
      }
    };
    const tryOne = async (drawn, number) => {
      const path = join(folder, `${number}.mjs`);
      for (let mutant = drawn; mutant; mutant = await draw(mutant.file)) {
        const { file } = mutant;
        await bundle(root, testsOf(file), mutant, path);
        const result = await runChecks(path, environment, limits.get(file));
        rmSync(path);
        if (result.outcome !== 'invalid') return keep(mutant, result);
        invalid++; // a pipeline constant can make it invalid
      }
    };
    const keep = (mutant, result) => {
      const reason = equivalents.get(keyOf(mutant));
      const known = result.outcome === 'passed' && reason !== undefined;
      if (reason !== undefined && !known) console.log(`equivalent.json is wrong about the next mutant: ${reason}`);
      results.push({ mutant, ...result, ...(known ? { outcome: 'equivalent', by: reason } : {}) });
      console.log(mutantLine(results[results.length - 1]));
    };
    const tasks = [];
    for (const file of chosen) {
      for (let n = 0; n < perFile.get(file); n++) {
        const mutant = await draw(file);
        if (!mutant) break; // a small file may run out of mutants
        const number = tasks.length;
        tasks.push(() => tryOne(mutant, number));
      }
    }
    await inParallel(tasks, jobs);
    report(root, results, { seed, seconds: (performance.now() - begin) / 1000, invalid });
    return countsOf(results).share >= LEAST_SHARE ? 0 : 1;
  } finally {
    compiler.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The folders with kernels; file names are unique across them. */
const FOLDERS = [
  ['src', 'tensor'],
  ['src', 'shaders'],
  ['src', 'backends', 'software'],
];

/** @returns a map from a WGSL file's name to its path */
function findShaders(root) {
  const found = new Map();
  for (const folder of FOLDERS.map((parts) => join(root, ...parts))) {
    for (const name of readdirSync(folder)) if (name.endsWith('.wgsl')) found.set(name, join(folder, name));
  }
  return found;
}

/**
 * The kernel as written, and as kernelPair rewrites it to process four numbers at a time.
 * @param numbering the text that the engine appends
 */
function readings(kernel, numbering) {
  const text = kernel + numbering;
  const wide = text
    .replace('alias Value = f32;', 'alias Value = vec4f;')
    .replace('alias Index = u32;', 'alias Index = vec4u;');
  return wide === text ? [text] : [text, wide];
}

const keyOf = ({ file, scope, change }) => `${file} ${scope} ${change}`;

/** Reads the list of equivalent mutants with their reasons. Each entry must be a mutant of the current source. */
function readEquivalents(sources) {
  const possible = new Set([...sources].flatMap(([file, source]) => mutantsOf(file, source).map(keyOf)));
  const list = JSON.parse(readFileSync(new URL('equivalent.json', import.meta.url), 'utf8'));
  const reasons = new Map();
  for (const { reason, file, mutants } of list) {
    for (const { scope, change } of mutants) {
      const key = keyOf({ file, scope, change });
      if (!possible.has(key)) console.log(`an entry of equivalent.json is not a mutant of the current source: ${key}`);
      reasons.set(key, reason);
    }
  }
  return reasons;
}

/** Runs the checks on the unchanged kernels; they must pass. @returns the time limit for each file's mutants in seconds */
async function runUnchanged(root, folder, environment, files, sources) {
  const limits = new Map();
  const known = new Map();
  for (const file of files) {
    const tests = testsOf(file);
    const name = tests.join(' ');
    if (!known.has(name)) {
      const path = join(folder, 'unchanged.mjs');
      await bundle(root, tests, { file, text: sources.get(file) }, path);
      const { outcome, by, message, seconds } = await runChecks(path, environment, 300);
      if (outcome !== 'passed') throw new Error(`the tests fail without any mutant (${name}): ${by}\n${message ?? ''}`);
      console.log(`passes unchanged: ${name}  ${seconds.toFixed(1)} s`);
      known.set(name, Math.max(LEAST_SECONDS, PATIENCE * seconds));
    }
    limits.set(file, known.get(name));
  }
  return limits;
}

/** Runs tasks, `jobs` of them at a time. */
async function inParallel(tasks, jobs) {
  const queue = tasks.values();
  const worker = async () => {
    for (const task of queue) await task();
  };
  await Promise.all(Array.from({ length: jobs }, worker));
}

/** Starts a process that compiles WGSL. */
async function startCompiler(environment) {
  // Dawn prints every rejected shader; only whether it was rejected matters here.
  const stdio = ['ignore', 'ignore', 'ignore', 'ipc'];
  const child = fork(new URL('compiler.mjs', import.meta.url), { env: environment, stdio });
  const waiting = new Map();
  let asked = 0;
  const ready = new Promise((resolve, reject) => {
    child.on('exit', (code) => {
      const error = new Error(`the compiling process ended with code ${code}`);
      reject(error);
      for (const { reject: fail } of waiting.values()) fail(error);
    });
    child.on('message', ({ ready: isReady, id, valid }) => {
      if (isReady) resolve();
      else waiting.get(id).resolve(valid);
      waiting.delete(id);
    });
  });
  await ready;
  return {
    /** Do all of these texts compile? */
    valid: (codes) =>
      new Promise((resolve, reject) => {
        waiting.set(++asked, { resolve, reject });
        child.send({ id: asked, codes });
      }),
    end: () => child.connected && child.disconnect(),
  };
}

function report(root, results, run) {
  results.sort((a, b) => a.mutant.file.localeCompare(b.mutant.file) || a.mutant.line - b.mutant.line);
  const folder = join(root, 'runs', 'mutants');
  mkdirSync(folder, { recursive: true });
  const plain = results.map(({ mutant, outcome, by, seconds }) => ({
    ...{ file: mutant.file, line: mutant.line, scope: mutant.scope, kind: mutant.kind, change: mutant.change },
    ...{ outcome, by, seconds },
  }));
  writeFileSync(
    join(folder, `seed-${run.seed}.json`),
    JSON.stringify({ ...run, ...countsOf(results), mutants: plain }, null, 2),
  );
  writeFileSync(join(folder, `seed-${run.seed}.md`), markdown(results, run));
  console.log(`\n${tableBy(results, 'file')}\n\n${tableBy(results, 'kind')}\n\n${summary(results)}`);
  console.log(`written to runs/mutants/seed-${run.seed}.md and .json, ${Math.round(run.seconds)} s`);
}

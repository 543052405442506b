/**
 * Replaces uvu while mutants are tried: runs the suites of a bundle one after another, stops at the first failure,
 * and prints the verdict as one line of JSON.
 */
import { writeSync } from 'node:fs';
import fc from 'fast-check';

/** What the parent process looks for in the output. */
const MARK = 'MUTANT-VERDICT ';

let queue = Promise.resolve();
let passed = 0;

export function suite(name) {
  const tests = [];
  const hooks = { before: [], after: [] };
  const test = (title, body) => tests.push({ title, body });
  test.before = (hook) => hooks.before.push(hook);
  test.after = (hook) => hooks.after.push(hook);
  test.run = () => {
    queue = queue.then(() => runSuite(name, tests, hooks));
  };
  return test;
}

async function runSuite(name, tests, hooks) {
  // No shrinking: it is enough to know that a property fails.
  fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true });
  let title = 'before the first test';
  try {
    for (const hook of hooks.before) await hook();
    for (const test of tests) {
      ({ title } = test);
      await test.body();
      passed++;
    }
    for (const hook of hooks.after) await hook();
  } catch (error) {
    finish({ passed, suite: name, test: title, message: String(error?.message ?? error).slice(0, 2000) });
  }
}

function finish(verdict) {
  writeSync(1, `\n${MARK}${JSON.stringify(verdict)}\n`);
  process.exit(verdict.test ? 1 : 0);
}

// Test files call run() while they load; when the first timer fires, all suites are queued.
setTimeout(async () => {
  await queue;
  finish({ passed });
});

/**
 * Sets up a fresh machine: Node's version, npm packages, a WebGPU adapter. It uses no packages, because it runs before any
 * are installed. It changes nothing on a machine that is ready.
 *
 *   node tools/setup.mjs             sets up the machine
 *   node tools/setup.mjs --dry-run   says what it would do
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { browserPlan, findBrowser } from './browsers.mjs';
import { findDeno } from './deno.mjs';
import { readProbe, thisMachine } from './machine.mjs';
import { findPostgres, postgresPlan } from './postgres.mjs';
import { npm, run } from './run.mjs';
import { advice, driverVariables, plan, shellLine, withoutDriverVariables } from './systems.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const oldestNode = 20;

/** Why the set-up cannot continue, worded for the person at the terminal. */
class SetUpError extends Error {}

/**
 * Makes sure that everything can be built and run on this machine, or says what is missing.
 * @param options browser: also provide a browser with WebGPU, which only tests need; deno: for tests, too; postgres: also
 *   provide Postgres with pgvector where it is available, for tests too; runtimes: also install the other runtimes that
 *   tests compare with; adapter: false if Node needs no WebGPU
 * @returns the environment in which to start programs that use WebGPU, or null if the machine is not ready
 */
export async function setUp({ dryRun, browser, deno, postgres, runtimes, adapter = true } = {}) {
  try {
    checkNode();
    await installPackages(dryRun, root, '--include=dev');
    // Nothing there needs the scripts that its packages run when they are installed.
    if (runtimes) await installPackages(dryRun, join(root, 'test'), '--ignore-scripts');
    const environment = adapter ? await provideAdapter(dryRun) : process.env;
    if (browser) await provideBrowser(dryRun);
    if (deno && !dryRun) checkDeno();
    if (postgres) await providePostgres(dryRun);
    return environment;
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    console.error(error.message);
    return null;
  }
}

function checkNode() {
  const major = Number.parseInt(process.versions.node, 10);
  if (major < oldestNode) {
    throw new SetUpError(
      `Node ${oldestNode} or newer is needed, this is ${process.versions.node}: see https://nodejs.org`,
    );
  }
}

/** The age of the installation is that of the file in which npm records what it installed. */
async function installPackages(dryRun, folder, flag) {
  const lock = join(folder, 'package-lock.json');
  const record = join(folder, 'node_modules', '.package-lock.json');
  if (existsSync(record) && statSync(record).mtimeMs >= statSync(lock).mtimeMs) return;
  const why = existsSync(record) ? 'package-lock.json is newer than node_modules' : 'node_modules is missing';
  const where = folder === root ? '' : ` in ${basename(folder)}`;
  console.log(`Installing npm packages${where} (${why}): npm ci`);
  if (dryRun) return;
  const code = await npm('ci', '--prefix', folder, flag, '--no-fund', '--no-audit');
  if (code !== 0) {
    throw new SetUpError(
      `npm ci failed (exit code ${code}); see its output above. It needs a connection to the registry that\n` +
        '`npm config get registry` names, and a package-lock.json that agrees with package.json. Run `npm ci` yourself\n' +
        'until it succeeds, then start again.',
    );
  }
}

function probe(environment) {
  const script = join(root, 'tools', 'probe.mjs');
  return readProbe(spawnSync(process.execPath, [script], { env: environment, encoding: 'utf8', timeout: 120_000 }));
}

/** The adapter that programs get, among those on which a device can be opened; null if none works. */
function usable({ adapters, chosen }) {
  const working = adapters.filter((adapter) => adapter.failure === null);
  return working.find((adapter) => adapter.description === chosen[0]?.description) ?? working[0] ?? null;
}

/** Looks for an adapter, first in the given environment, then without its variables for Vulkan drivers. */
function lookForAdapter() {
  const found = probe(process.env);
  if (!found.loads) {
    throw new SetUpError(
      `${found.failure}\nIt has builds for Linux with glibc 2.34 or newer, macOS and Windows. If a file or package is missing,\n` +
        'run `npm ci`, then start again.',
    );
  }
  const adapter = usable(found);
  if (adapter) return { adapter, environment: process.env, failure: null };
  const set = driverVariables.filter((name) => process.env[name] !== undefined);
  if (set.length > 0) {
    const environment = withoutDriverVariables(process.env);
    const second = usable(probe(environment));
    if (second) {
      const settings = set.map((name) => `${name}=${process.env[name]}`).join(', ');
      console.log(`No adapter works with ${settings}; continuing without.`);
      console.log(`Before you run commands yourself, type: unset ${set.join(' ')}`);
      return { adapter: second, environment, failure: null };
    }
  }
  return { adapter: null, environment: process.env, failure: found.failure ?? found.adapters[0]?.failure ?? null };
}

async function provideAdapter(dryRun) {
  if (dryRun && !existsSync(join(root, 'node_modules', 'webgpu'))) {
    console.log('Next: looking for a WebGPU adapter (only possible once the npm packages are installed).');
    return process.env;
  }
  let found = lookForAdapter();
  if (!found.adapter) {
    await installDriver(found.failure, dryRun);
    if (dryRun) return process.env;
    found = lookForAdapter();
  }
  if (!found.adapter) {
    const reason = found.failure ? ` (${found.failure})` : '';
    throw new SetUpError(
      `The driver is installed, but WebGPU still finds no adapter${reason}. \`npm run doctor\` shows more.`,
    );
  }
  console.log(`WebGPU adapter: ${found.adapter.description || found.adapter.name} (${found.adapter.kind})`);
  return found.environment;
}

/** Installs the software driver if the plan allows it; otherwise stops with the commands to type. */
async function installDriver(failure, dryRun) {
  const machine = thisMachine();
  const { why, steps, automatic } = plan(machine);
  if (failure) console.error(failure);
  if (!automatic) throw new SetUpError([...advice(machine), 'Then start again.'].join('\n'));
  console.log(
    [...why, `${dryRun ? 'Would be installed' : 'Installing it now'} on ${machine.release.name}:`].join('\n'),
  );
  for (const step of steps) {
    console.log(`  ${shellLine(step)}`);
    if (!dryRun) await carryOut(step);
  }
}

async function provideBrowser(dryRun) {
  const found = findBrowser();
  if (found) {
    console.log(`Browser: ${found}`);
    return;
  }
  const machine = thisMachine();
  const { why, steps, automatic } = browserPlan(machine);
  const commands = steps.map((step) => `  ${shellLine(step, !automatic && !machine.root)}`);
  if (!automatic) throw new SetUpError([...why, ...(steps.length > 0 ? ['Type:', ...commands] : [])].join('\n'));
  console.log(
    [...why, `${dryRun ? 'Would be installed' : 'Installing it now'} on ${machine.release.name}:`].join('\n'),
  );
  for (const [i, step] of steps.entries()) {
    console.log(commands[i]);
    if (!dryRun) await carryOut(step);
  }
  if (!dryRun && !findBrowser()) throw new SetUpError('The browser was installed, but still cannot be found.');
}

/** npm installs Deno with the packages, where it has one for the system. */
function checkDeno() {
  const found = findDeno(join(root, 'node_modules'));
  if (found) console.log(`Deno: ${found}`);
  else {
    throw new SetUpError(
      `npm installed no Deno for ${process.platform} on ${process.arch}; it has one for Linux with glibc, macOS and Windows.\n` +
        'If this is one of them, run `npm ci --include=optional`. Or leave its tests out with --no-wgpu.',
    );
  }
}

/** Provides Postgres with pgvector. Tests can do without it, so a failure here does not stop them. */
async function providePostgres(dryRun) {
  const found = findPostgres();
  if (found) {
    console.log(`Postgres with pgvector: ${found}`);
    return;
  }
  const machine = thisMachine();
  const folder = mkdtempSync(join(tmpdir(), 'romo-pgvector-'));
  try {
    const { why, steps, automatic } = postgresPlan(machine, folder);
    const how = automatic ? [`${dryRun ? 'Would be installed' : 'Installing it now'} on ${machine.release.name}:`] : [];
    console.log([...why, ...how].join('\n'));
    for (const step of steps) {
      console.log(`  ${shellLine(step, !automatic && !machine.root)}`);
      if (automatic && !dryRun) await carryOut(step);
    }
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    console.log(`${error.message}\nContinuing with PGlite instead.`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function carryOut(step) {
  if (step.write) {
    writeFileSync(step.write, step.text);
    return;
  }
  const [command, ...words] = step.run;
  const patience = command === 'apt-get' ? ['-q', '-o', 'Acquire::Retries=3', '-o', 'DPkg::Lock::Timeout=120'] : [];
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const code = await run(command, [...patience, ...words], environment);
  if (code === 0) return;
  const failed = `\`${shellLine(step)}\` failed (exit code ${code}); see its output above.`;
  // A single source that does not answer fails the whole update, although the one that matters may be up to date.
  if (words[0] === 'update') console.error(`${failed} Continuing with the existing package lists.`);
  else throw new SetUpError(`${failed} Fix the problem, then start again.`);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const unknown = process.argv.slice(2).find((word) => word !== '--dry-run');
  if (unknown !== undefined) {
    console.error(`setup: unknown option ${unknown}; the only option is --dry-run`);
    process.exitCode = 2;
  } else if (!(await setUp({ dryRun: process.argv.includes('--dry-run') }))) {
    process.exitCode = 1;
  }
}

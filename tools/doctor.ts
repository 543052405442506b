/**
 * `node dist/doctor.js`: shows every WebGPU adapter of this machine, its kind and its capabilities; if there is none, what to
 * install.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { type Found, type FoundAdapter, findAdapters, readProbe, thisMachine } from './machine.mjs';
import { advice, driverVariables, KNOWN_GOOD, mesaVersions } from './systems.mjs';

/** Limits that decide what the engine can do; `--json` has all of them. */
const decisiveLimits: Record<string, 'bytes' | 'count'> = {
  maxBufferSize: 'bytes',
  maxStorageBufferBindingSize: 'bytes',
  maxComputeWorkgroupStorageSize: 'bytes',
  maxComputeInvocationsPerWorkgroup: 'count',
  maxComputeWorkgroupsPerDimension: 'count',
  maxStorageBuffersPerShaderStage: 'count',
};

/** For the child process only; see `examine`. */
const childFlag = '--inspect-adapters';

const exitCodes = { found: 0, none: 1, usage: 2 };

function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(count) / 10)));
  return `${Number((count / 1024 ** power).toFixed(1))} ${units[power]}`;
}

function describe(adapter: FoundAdapter): string[] {
  const row = (name: string, value: string) => `  ${name.padEnd(36)}${value}`;
  const limits = Object.entries(decisiveLimits).map(([name, unit]) => {
    const value = adapter.limits[name];
    if (value === undefined) return row(name, 'unknown');
    return row(name, unit === 'bytes' ? bytes(value) : value.toLocaleString('en'));
  });
  return [
    `${adapter.name} (${adapter.kind})`,
    row('backend', adapter.backend || 'unknown'),
    row('vendor', adapter.vendor || 'unknown'),
    row('architecture', adapter.architecture || 'unknown'),
    row('description', adapter.description || 'unknown'),
    ...versions(adapter).map(([name, value]) => row(name, value)),
    row('opens a device', adapter.failure === null ? 'yes' : `no: ${adapter.failure}`),
    ...limits,
    ...wrap(adapter.features, 80).map((line, index) => row(index === 0 ? 'features' : '', line)),
  ];
}

/** Mesa's and LLVM's versions, which decide what lavapipe computes: some pairs are known to miscompile kernels. */
function versions({ description }: FoundAdapter): [string, string][] {
  const found = mesaVersions(description);
  if (!found) return [];
  const { mesa, llvm } = KNOWN_GOOD;
  const good = `${mesa}${found.llvm ? ` with LLVM ${llvm}` : ''} passes all tests`;
  const isGood = found.mesa === mesa && (!found.llvm || found.llvm === llvm);
  return [['Mesa', `${found.mesa}${found.llvm ? `, LLVM ${found.llvm}` : ''} (${isGood ? 'passes all tests' : good})`]];
}

/** Words in lines of at most `width` characters. */
function wrap(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function requestName(request: GPURequestAdapterOptions): string {
  const [entry] = Object.entries(request);
  return entry ? `${entry[0]}: ${entry[1]}` : 'by default';
}

function report({ adapters, chosen }: Found): string[] {
  const software = adapters.every((adapter) => adapter.kind === 'software');
  return [
    ...adapters.flatMap((adapter) => [...describe(adapter), '']),
    'What a program gets:',
    ...chosen.map(({ request, description }) => `  ${requestName(request).padEnd(36)}${description ?? 'none'}`),
    '',
    'Choose one with --device NAME, where NAME is part of the name on its first line.',
    ...(software ? ['Only software adapters: everything works, on the CPU, but a GPU would be far faster.'] : []),
  ];
}

function withoutAdapter({ adapters, failure }: Found & { failure: string | null }): string[] {
  const set = driverVariables.filter((name) => process.env[name] !== undefined);
  return [
    adapters.length > 0 ? 'No device could be opened on any of these.' : 'No WebGPU adapter was found.',
    ...(failure ? [failure] : []),
    ...(set.length > 0 ? [`${set.join(' and ')} is set and may hide the drivers: try without it.`] : []),
    ...advice(thisMachine()),
  ];
}

const command = new Command('doctor')
  .description('Shows every WebGPU adapter of this machine, or what to install if there is none.')
  .option('--json', 'print everything, including all limits, as JSON')
  .addHelpText('after', '\nExit code: 0 if an adapter works, 1 if none does, 2 for a wrong option.')
  .allowExcessArguments(false)
  .exitOverride()
  .configureOutput({ writeErr: (text) => process.stderr.write(text.replace(/^error: /, 'doctor: ')) });

/** Looks for adapters in a child process, because a broken driver may crash it, and prints the result. */
function examine(json: boolean): number {
  const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), childFlag], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  const found = readProbe(child);
  const works = found.adapters.some((adapter) => adapter.failure === null);
  if (json) {
    const { adapters, chosen, failure } = found;
    console.log(
      JSON.stringify(
        { adapters, chosen, failure, knownGood: KNOWN_GOOD, advice: works ? [] : advice(thisMachine()) },
        null,
        2,
      ),
    );
  } else if (found.adapters.length > 0) {
    console.log(report(found).join('\n'));
  }
  if (!works && !json) console.log(withoutAdapter(found).join('\n'));
  return works ? exitCodes.found : exitCodes.none;
}

async function main(): Promise<number> {
  if (process.argv[2] === childFlag) {
    console.log(JSON.stringify(await findAdapters()));
    return exitCodes.found;
  }
  try {
    command.parse();
  } catch (error) {
    const { exitCode } = error as { exitCode?: number };
    if (exitCode === undefined) throw error;
    return exitCode === 0 ? exitCodes.found : exitCodes.usage;
  }
  return examine(command.opts<{ json?: boolean }>().json === true);
}

process.exitCode = await main();

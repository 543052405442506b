/**
 * This machine: its system and the WebGPU adapters that work on it. Shared by `tools/setup.mjs` and `tools/doctor.ts`.
 * A broken driver can crash the whole process, so callers look for adapters in a child process
 * (`tools/probe.mjs`, or a second `doctor.js`) and read the answer with `readProbe`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { adapterKind, parseOsRelease, parseSources } from './systems.mjs';

/** The text of a file, or '' if it does not exist or is not readable. */
function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'EACCES') return '';
    throw error;
  }
}

/** The facts about this machine from which systems.mjs makes a plan. */
export function thisMachine() {
  const folder = '/etc/apt/sources.list.d';
  let names = [];
  try {
    names = readdirSync(folder).filter((name) => /\.(list|sources)$/.test(name));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error; // no such folder: not a system with apt
  }
  const paths = ['/etc/apt/sources.list', ...names.map((name) => `${folder}/${name}`)];
  return {
    platform: process.platform,
    release: parseOsRelease(readIfThere('/etc/os-release')),
    sources: parseSources(paths.map((path) => ({ path, text: readIfThere(path) }))),
    root: process.getuid?.() === 0,
  };
}

/** An adapter as plain data: what it is, and whether a device can be opened on it. */
async function describe(adapter) {
  const { vendor, architecture, device, description } = adapter.info;
  const limits = {};
  for (const name in adapter.limits) limits[name] = adapter.limits[name];
  const info = { vendor, architecture, device, description };
  const kind = adapterKind({ ...info, isFallbackAdapter: adapter.info.isFallbackAdapter });
  const answer = { ...info, kind, features: [...adapter.features].sort(), limits, failure: null };
  try {
    const opened = await adapter.requestDevice();
    opened.destroy();
  } catch (error) {
    answer.failure = error.message;
  }
  return answer;
}

/** The ways to request an adapter in WebGPU. */
const requests = [
  {},
  { powerPreference: 'high-performance' },
  { powerPreference: 'low-power' },
  { forceFallbackAdapter: true },
];

/**
 * Every adapter that Dawn finds.
 * @returns { adapters: [{ name, backend, vendor, architecture, device, description, kind, features, limits, failure }],
 *   chosen: [{ request, description }] } where `chosen` says which adapter a program gets for each kind of request.
 */
export async function findAdapters() {
  const { create } = await import('webgpu');
  const adapters = [];
  for (const { backend, name } of await adapterNames(create)) {
    const adapter = await create([`backend=${backend}`, `adapter=${name}`]).requestAdapter();
    if (adapter) adapters.push({ name, backend, ...(await describe(adapter)) });
  }
  const chosen = [];
  for (const request of requests) {
    const adapter = await create([]).requestAdapter(request);
    const description = adapter ? adapter.info.description || adapter.info.device : null;
    // If Dawn ever stops listing names, the adapters that it returns are still found.
    if (adapter && adapters.length === 0)
      adapters.push({ name: description, backend: '', ...(await describe(adapter)) });
    chosen.push({ request, description });
  }
  return { adapters, chosen };
}

/** Names and backends of all adapters: Dawn lists them only in its error for a name that does not exist. */
async function adapterNames(create) {
  let list = '';
  try {
    await create(['adapter=?']).requestAdapter();
  } catch (error) {
    list = String(error.message ?? error);
  }
  const rows = [...list.matchAll(/backend: '([^']*)', name: '(.*)'\s*$/gm)].map(([, backend, name]) => ({
    backend,
    name,
  }));
  const usable = rows.filter(({ backend }) => backend !== 'null');
  return usable.filter(
    (row, index) => index === usable.findIndex((r) => r.backend === row.backend && r.name === row.name),
  );
}

/**
 * The answer of the child process that called `findAdapters` and printed it as JSON.
 * @param child what `spawnSync` returned for it
 * @returns { adapters, chosen, failure, loads }: failure says why the child gave no answer, or is null; loads is
 *   false if the `webgpu` package itself does not run, so that no driver can help
 */
export function readProbe(child) {
  const nothing = (failure, loads) => ({ adapters: [], chosen: [], failure, loads });
  if (child.error) return nothing(`The search for adapters failed: ${child.error.message}`, true);
  if (child.signal) return nothing(`A graphics driver crashed the search for adapters (${child.signal}).`, true);
  if (child.status !== 0) return nothing(`The \`webgpu\` package does not run here:\n${child.stderr.trim()}`, false);
  return { ...JSON.parse(child.stdout), failure: null, loads: true };
}

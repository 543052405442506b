/**
 * `node tools/imports.mjs`, part of `npm run check`: which module may import which. Imports point downward only, there are no
 * circles, and the engine stays small enough to be read. Type-only imports are free: they are gone when the program runs.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The layers, lowest first. A module may import from its own layer, from the layers listed for it, and from whatever those may
 * import. The longest matching path decides, so a single file can be a layer.
 */
export const LAYERS = {
  'src/tensor/error.ts': [],
  'src/tensor/exact.ts': ['src/tensor/error.ts'],
  'src/tensor/random.ts': ['src/tensor/exact.ts'],
  'src/tensor': ['src/tensor/random.ts'],
  'src/shaders': [],
  'src/autograd': ['src/tensor', 'src/shaders'],
  'src/backends': ['src/autograd'], // built from ops without gradients; ops call a backend through the device
  'src/tensor/device.ts': ['src/backends', 'src/selftest/remembered.ts'], // opens the backend and has it tested
  'src/selftest/remembered.ts': ['src/selftest'],
  'src/selftest': ['src/index.ts', 'src/search'], // later than the device that it tests: all is loaded lazily
  'src/model': ['src/autograd'],
  'src/files': ['src/tensor/error.ts'],
  'src/data': ['src/files', 'src/tensor/random.ts'],
  'src/romo': ['src/model', 'src/data'],
  'src/compare': ['src/romo'],
  'src/encoders.ts': ['src/romo', 'src/tensor/device.ts'],
  'src/index.ts': ['src/encoders.ts'],
  'src/search': ['src/encoders.ts'],
  'src/onnx': ['src/romo'],
  'src/report': ['src/compare'],
  'src/commands': ['src/report', 'src/search', 'src/onnx'],
  tools: ['src/commands'],
  bench: ['src/commands', 'tools'],
  web: [], // plus the package's exports, imported by the package's name
  test: ['bench', 'tools', 'web', 'src/index.ts'],
};

/** Limits on the lines of TypeScript and WGSL that a reader of the engine meets. The software backend is read separately. */
const APART = 'src/backends/software';
const MOST_LINES_OF_CONV2D = 1_500;
const MOST_LINES_OF_ENGINE = 6_000;
const ENGINE = ['src/tensor', 'src/autograd', 'src/shaders', 'src/backends'];

const SOURCE = /\.(ts|mjs|mts)$/;
const SKIPPED = ['node_modules', 'peers'];

/** The text of all modules by path, with `/` on every system. */
export function readTree(root, folders = ['src', 'web', 'bench', 'tools', 'test']) {
  const files = new Map();
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !SKIPPED.includes(entry.name)) walk(path);
      else if (/\.(ts|mjs|mts|wgsl)$/.test(entry.name) && !entry.name.endsWith('.d.mts')) {
        files.set(relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8'));
      }
    }
  };
  for (const folder of folders) if (existsSync(join(root, folder))) walk(join(root, folder));
  return files;
}

const withoutComments = (text) => text.replace(/^\s*\/\*[\s\S]*?\*\//gm, '').replace(/^\s*\/\/.*$/gm, '');
const isTypesOnly = (names) =>
  /^\{[^}]+\}$/.test(names) &&
  names
    .slice(1, -1)
    .split(',')
    .every((name) => /^\s*(type\s|$)/.test(name));

/**
 * What a module imports at run time.
 * @returns for each import its specifier, and whether it is loaded lazily: `await import(...)`
 */
export function importsIn(text) {
  const code = withoutComments(text);
  const found = [];
  // Statements begin in the first column; text that only looks like one (in a template literal) does not.
  for (const [, names, from] of code.matchAll(/^(?:import|export)\s+(?:([^'";]*?)\s*from\s*)?['"]([^'"]+)['"]/gm)) {
    if (names === undefined || !(/^type\s+[^,]/.test(names) || isTypesOnly(names))) found.push({ from, lazy: false });
  }
  for (const [, from] of code.matchAll(/(?<!typeof )\bimport\(\s*['"]([^'"]+)['"]\s*\)(?!\.[A-Z])/g))
    found.push({ from, lazy: true });
  return found;
}

/** The modules that a specifier refers to: none for packages and Node's own; several if Node and browsers have one each. */
function targetsOf(path, from, { files, imports, exports }) {
  if (from.startsWith('.')) {
    const target = posix.join(posix.dirname(path), from);
    return files.has(target) ? [target] : [];
  }
  if (from.startsWith('#')) return Object.values(imports[from] ?? {}).map((target) => posix.normalize(target));
  const [, name] = /^romo(\/.*)?$/.exec(from) ? [from, `.${from.slice(4)}`] : [];
  const types = name && exports[name]?.types;
  return types ? [types.replace('./dist/types', 'src').replace('.d.ts', '.ts')] : [];
}

/** The layer of a module: the longest path in the table that the module's path starts with. */
function layerOf(path, layers) {
  return Object.keys(layers)
    .filter((layer) => path === layer || path.startsWith(`${layer}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** All layers that modules of the given layer may import from. */
function reachable(layer, layers, found = new Set()) {
  if (!found.has(layer)) {
    found.add(layer);
    for (const lower of layers[layer]) reachable(lower, layers, found);
  }
  return found;
}

/** The graph of imports: for each module's path, its imports with their targets. */
function graphOf(files, { imports = {}, exports = {} }) {
  return new Map(
    [...files]
      .filter(([path]) => SOURCE.test(path))
      .map(([path, text]) => [
        path,
        importsIn(text).flatMap(({ from, lazy }) =>
          targetsOf(path, from, { files, imports, exports }).map((target) => ({ from, lazy, target })),
        ),
      ]),
  );
}

/** Imports that point upward, and imports of pages that bypass the package's exports. */
function upward(graph, layers) {
  const faults = [];
  for (const [path, edges] of graph) {
    const layer = layerOf(path, layers);
    if (!layer) {
      faults.push(`${path} has no layer: name its folder in tools/imports.mjs`);
      continue;
    }
    const allowed = reachable(layer, layers);
    for (const { from, target } of edges) {
      if (allowed.has(layerOf(target, layers)) || (layer === 'web' && from.startsWith('romo'))) continue;
      const way =
        layer === 'web' ? 'export it from the package and import it from there' : 'imports point downward only';
      faults.push(`${path} imports ${target}: ${way}`);
    }
  }
  return faults;
}

/** Circles among imports that are not lazy, each reported once. */
function circles(graph) {
  const faults = [];
  const done = new Set();
  const visit = (path, way) => {
    const at = way.indexOf(path);
    if (at >= 0) faults.push(`a circle of imports: ${[...way.slice(at), path].join(' -> ')}`);
    if (at >= 0 || done.has(path)) return;
    for (const { lazy, target } of graph.get(path) ?? []) if (!lazy) visit(target, [...way, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return faults;
}

/** A module and everything it loads that is not lazy. */
function closureOf(path, graph) {
  const found = new Set([path]);
  for (const each of found) for (const { lazy, target } of graph.get(each) ?? []) if (!lazy) found.add(target);
  return [...found];
}

const linesOf = (paths, files) =>
  paths
    .filter((path) => !path.startsWith(`${APART}/`) && !path.endsWith('.d.ts'))
    .reduce((sum, path) => sum + files.get(path).split('\n').length - 1, 0);

/**
 * @param files path -> text
 * @param manifest package.json: `imports` and `exports` say what `#name` and `romo/name` mean
 * @returns complaints; empty if all is well
 */
export function complaints(files, manifest = {}, layers = LAYERS) {
  const graph = graphOf(files, manifest);
  const own = new Map([...graph].filter(([path]) => /^(src|web|bench)\//.test(path)));
  return [...upward(graph, layers), ...circles(own)];
}

/** What a reader of the engine has to read, in lines, and the limits. */
export function sizes(files, manifest = {}) {
  const conv2d = closureOf('src/autograd/conv2d.ts', graphOf(files, manifest)).filter((path) => files.has(path));
  const engine = [...files.keys()].filter((path) => ENGINE.some((folder) => path.startsWith(`${folder}/`)));
  return [
    {
      what: `src/autograd/conv2d.ts and the ${conv2d.length - 1} modules that it loads`,
      lines: linesOf(conv2d, files),
      most: MOST_LINES_OF_CONV2D,
    },
    { what: `${ENGINE.join(', ')}`, lines: linesOf(engine, files), most: MOST_LINES_OF_ENGINE },
  ];
}

// Only when run as a program: its test bundles it under another name.
if (basename(process.argv[1] ?? '') === 'imports.mjs') {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const files = readTree(root);
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const faults = complaints(files, manifest);
  for (const { what, lines, most } of sizes(files, manifest)) {
    console.log(`imports: ${what}: ${lines} lines without ${APART}, limit ${most}`);
    if (lines > most) faults.push(`${what}: ${lines - most} lines too many`);
  }
  for (const fault of faults) console.error(`imports: ${fault}`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

/** The package in a new project: packed, unpacked, and imported in Node, in the browser and by the compiler. */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { codeOf, kernelPair, program } from '../../src/tensor/kernel.ts';
import { plainShaders } from '../../tools/bundle.mjs';
import { serveFolder } from '../../tools/web/server.mjs';
import { openBrowser, openPage } from './chromium.ts';

const test = suite('package');
const readme = readFileSync('README.md', 'utf8');
const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));

/** The README's example in a language, so that the tests run exactly what it shows. */
function snippet(language: string): string {
  const found = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(readme);
  assert.ok(found, `README has no example in ${language}`);
  return found[1];
}

let project: string;
let installed: string;

test.before(() => {
  project = mkdtempSync(join(tmpdir(), 'romo-package-'));
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', project], {
    encoding: 'utf8',
  });
  const [{ filename }] = JSON.parse(packed);
  installed = join(project, 'node_modules', 'romo');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', join(project, filename), '-C', installed, '--strip-components=1']);
  // Link only what npm would install: the package's dependencies and theirs.
  for (const name of [...Object.keys(dependencies), 'debug', 'ms']) {
    mkdirSync(dirname(join(project, 'node_modules', name)), { recursive: true });
    symlinkSync(join(process.cwd(), 'node_modules', name), join(project, 'node_modules', name), 'dir');
  }
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
});
test.after(() => rmSync(project, { recursive: true, force: true }));

test('its examples are those of the README', () => {
  assert.is(readFileSync('examples/embed.mjs', 'utf8'), snippet('js'));
  assert.is(readFileSync('examples/embed.html', 'utf8'), snippet('html'));
});

/** The output of a program that runs in Node where the package is installed. */
function printedBy(program: string): string {
  writeFileSync(join(project, 'program.mjs'), program);
  return execFileSync(process.execPath, ['program.mjs'], { cwd: project, encoding: 'utf8' });
}

test('Node runs the example of the README', () => assert.is(printedBy(snippet('js')), '128\n192\n'));

/** Serves the files and the package, opens index.html, and fails on any browser error. */
async function servePackage(files: Record<string, string>, body: (page: Page) => Promise<void>): Promise<void> {
  // The server does not follow links out of its folder; the browser needs only the package.
  const served = mkdtempSync(join(tmpdir(), 'romo-served-'));
  for (const [name, source] of Object.entries(files)) copyFileSync(source, join(served, name));
  cpSync(installed, join(served, 'node_modules', 'romo'), { recursive: true });
  const [server, browser] = [await serveFolder(served), await openBrowser()];
  try {
    const { page, complaints } = await openPage(browser, server.url);
    await body(page);
    assert.equal(
      complaints.filter((text) => !text.includes('favicon')),
      [],
    );
  } finally {
    await browser.close();
    server.close();
    rmSync(served, { recursive: true });
  }
}

test('a page runs the example of the README, without a bundler', () =>
  servePackage(
    { 'index.html': 'examples/embed.html', 'model.safetensors': 'web/search/model.safetensors' },
    async (page) => {
      const output = page.locator('output');
      await output.filter({ hasText: 'numbers' }).waitFor();
      assert.match(await output.innerText(), /: 64 numbers$/);
    },
  ));

/** Fails unless the training example printed a falling loss and mostly correct classes. */
function checkTraining(printed: string): void {
  const losses = [...printed.matchAll(/^step \d+: loss ([\d.]+)$/gm)].map(([, loss]) => Number(loss));
  assert.is(losses.length, 5, printed);
  assert.ok(losses[0] > 0.4 && losses[4] < 0.05, printed);
  const accuracy = Number(/^accuracy on held-out points: ([\d.]+)\n$/m.exec(printed)?.[1]);
  assert.ok(accuracy >= 0.95 && accuracy <= 1, printed);
}

test('Node trains the example network, step by step and replayed; its file fits on a screen', () => {
  const source = readFileSync('examples/autograd.mjs', 'utf8');
  assert.ok(source.trimEnd().split('\n').length <= 40, 'examples/autograd.mjs has more than 40 lines');
  const printed = printedBy(source);
  checkTraining(printed);
  // The reading guide shows the same loop with a replay, which must print the same numbers.
  const loop = /^for \(let step[\s\S]*?^}$/m;
  const replayed = /```js\n(const \{ replay, result: loss \} =[\s\S]*?)\n```/.exec(
    readFileSync('docs/reading.md', 'utf8'),
  )?.[1];
  assert.ok(loop.test(source) && replayed, 'docs/reading.md shows no loop with a replay');
  assert.is(printedBy(source.replace(loop, () => replayed).replace('record,', 'record, Replay,')), printed);
});

test('a page trains the example network, without a bundler', () =>
  servePackage({ 'index.html': 'examples/autograd.html', 'autograd.mjs': 'examples/autograd.mjs' }, async (page) => {
    const output = page.locator('pre');
    await output.filter({ hasText: 'accuracy' }).waitFor();
    checkTraining((await output.textContent()) ?? '');
  }));

test("a user's compiler finds the types", () => {
  const program = `
    import { type Gpu, openDevice, PRESETS, Random, trainSsm } from 'romo';
    import { type Mesh, normalizeMesh, samplePoints } from 'romo/data';
    import { loadEncoders, type LoadedEncoders } from 'romo/encoders';
    import { type DatabaseGallery, openDatabaseGallery } from 'romo/database';
    import { type Geometry, parseGeometry } from 'romo/files';
    import { type Answer, type Filter, parseFilter, readGallery } from 'romo/search';
    const gpu: Gpu = await openDevice();
    const model: LoadedEncoders = loadEncoders(gpu, new Uint8Array());
    const points: number = model.config.points + PRESETS.tiny.points;
    // @ts-expect-error a string is not a number of points
    const wrong: string = points;
    const where: Filter = parseFilter('faces > 100');
    const gallery = await readGallery(gpu, async () => new ArrayBuffer(0));
    const answers: Answer[][] = await gallery.search(new Float32Array(128), { top: 10, where });
    const database: DatabaseGallery = await openDatabaseGallery('pglite:gallery', null);
    await database.buildIndex({ m: 16 });
    const geometry: Geometry = await parseGeometry(new Uint8Array(), 'object.obj');
    const cloud = (mesh: Mesh) => samplePoints(normalizeMesh(mesh), 1024, new Random(1));
    export { answers, cloud, geometry, trainSsm, wrong };
  `;
  writeFileSync(join(project, 'user.ts'), program);
  for (const [module, resolution] of [
    ['NodeNext', 'NodeNext'],
    ['ESNext', 'Bundler'],
  ]) {
    const compilerOptions = {
      module,
      moduleResolution: resolution,
      target: 'ES2022',
      lib: ['ES2022', 'ESNext.Disposable', 'DOM'],
      strict: true,
      noEmit: true,
      types: [],
      skipLibCheck: false,
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['user.ts'] }));
    try {
      execFileSync(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', project], {
        encoding: 'utf8',
      });
    } catch (error) {
      assert.unreachable(`${resolution}: ${(error as { stdout: string }).stdout}`);
    }
  }
});

test('the contents of the package', () => {
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  assert.is(manifest.sideEffects, false);
  assert.equal(Object.keys(manifest.exports), [
    '.',
    './encoders',
    './data',
    './files',
    './search',
    './onnx',
    './database',
    './check',
    './package.json',
  ]);
  const { './package.json': _, ...entries } = manifest.exports;
  for (const entry of Object.values(entries) as object[]) {
    for (const path of Object.values(entry) as string[]) assert.ok(existsSync(join(installed, path)), path);
  }
  for (const folder of ['node', 'browser']) {
    for (const name of readdirSync(join(installed, 'dist', folder)).filter((file) => file.endsWith('.js'))) {
      assert.ok(existsSync(join(installed, 'dist', folder, `${name}.map`)), `${name} has no source map`);
    }
  }
});

test('the library for browsers is small and self-contained', async () => {
  const folder = join(installed, 'dist', 'browser');
  const names = readdirSync(folder, { recursive: true }) as string[];
  const files = names.filter((name) => name.endsWith('.js'));
  const importsOf = (name: string, pattern = /\b(?:from|import)\s*\(?["']([^"'(),;]+)["']/g): string[] =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(pattern)].map(([, path]) => path);
  // What a page loads that imports all but search and databases, on a GPU. The built-in shapes, the other backends and the
  // self-test are loaded only where they are used.
  const laterOf = (name: string) => importsOf(name, /\bimport\(["'](\.[^"']+)["']/g).map((path) => join(path));
  const named = (names: string[], wanted: string) => names.find((name) => name.startsWith(`${wanted}-`)) as string;
  const main = new Set(['index.js']);
  const follow = () => {
    for (const name of main) for (const path of importsOf(name, /\bfrom["'](\.[^"']+)["']/g)) main.add(join(path));
  };
  follow();
  const later = [...main].flatMap(laterOf);
  assert.equal(later.map((name) => name.replace(/-.*/, '')).sort(), [
    'gpu',
    'reference',
    'remembered',
    'shapes',
    'software',
  ]);
  main.add(named(later, 'gpu'));
  follow();
  assert.not.ok(main.has(named(later, 'software')), 'a page on a GPU loads the kernels for software adapters');
  // Joined as a bundler of a page joins them; loaded one by one, the files take an eighth more.
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'index.js')],
    external: later.filter((name) => !name.startsWith('gpu-')).map((name) => `./${name.replace(/-.*/, '')}-*`),
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    logLevel: 'error',
  });
  const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
  console.log(`library: ${bytes} bytes after gzip`);
  assert.ok(bytes < 60 * 1024, `${bytes} bytes`);
  for (const name of files) {
    assert.equal(
      importsOf(name).filter((path) => !path.startsWith('./') && !path.startsWith('../')),
      name.endsWith('database.js') ? ['@electric-sql/pglite', '@electric-sql/pglite-pgvector'] : [],
      name,
    );
  }
});

test('shaders stripped of spaces and comments still compile to the same kernels', async () => {
  const { openDevice } = await import('romo');
  const folders = ['src/shaders', 'src/backends/software'];
  const shaders = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const names = shaders.filter((name) => name.endsWith('.wgsl'));
  const { outputFiles } = await build({
    entryPoints: names,
    outdir: 'none',
    write: false,
    bundle: true,
    format: 'esm',
    plugins: [plainShaders],
  });
  const gpu = await openDevice();
  try {
    for (const [i, { text }] of outputFiles.entries()) {
      const { default: plain } = await import(`data:text/javascript,${encodeURIComponent(text)}`);
      if (/^enable /m.test(plain) && !gpu.device.features.has('subgroups' as GPUFeatureName)) continue;
      const source = readFileSync(names[i], 'utf8');
      assert.ok(plain.length < source.length, names[i]);
      const code = codeOf(program('', plain));
      const { messages } = await gpu.device.createShaderModule({ code }).getCompilationInfo();
      assert.equal(
        messages.filter(({ type }) => type === 'error').map(({ message }) => message),
        [],
        names[i],
      );
      // What the engine parses from the text: bindings, sizes, and the alias that it widens.
      assert.equal(program('', plain), { ...program('', source), source: plain }, names[i]);
      if (source.includes('alias Value')) kernelPair(program('', plain), 'any'); // throws if it finds none
    }
  } finally {
    gpu.close();
  }
});

test('the encoders come without training code', async () => {
  const { metafile } = await build({
    entryPoints: ['src/encoders.ts'],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'browser',
    conditions: ['browser'],
    format: 'esm',
    outdir: 'none',
    loader: { '.wgsl': 'text' },
  });
  const training =
    /\/(ssm|rdl|stage|feeder|run|kmeans|pseudo_labels|losses|sgd|adamw|optimizers?|heads|memory_bank)\.(ts|wgsl)$/;
  // The self-test, which is loaded where an adapter is new, runs training's kernels too.
  const loaded = new Set(['src/encoders.ts']);
  for (const path of loaded) {
    const { imports } = metafile.inputs[path];
    for (const { path: target, kind } of imports) if (kind !== 'dynamic-import') loaded.add(target);
  }
  assert.ok(loaded.size > 20);
  assert.equal(
    [...loaded].filter((path) => training.test(path)),
    [],
  );
});

test.run();

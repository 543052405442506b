/**
 * Bundles everything into dist/: the commands, the library for Node, Deno and browsers with its types, and the tests. Shaders are
 * loaded as text. The import `#webgpu` resolves to the file for Node or to the one for browsers and Deno, as `imports` in package.json
 * says.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { forBrowser, forDeno, forDenoTests, forNode, plainShaders } from './bundle.mjs';
import { buildWeb } from './web/build.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { exports: entries } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const library = Object.values(entries).flatMap(
  ({ types }) => types?.replace('./dist/types', 'src').replace('.d.ts', '.ts') ?? [],
);
const commands = ['train', 'evaluate', 'compare', 'convert', 'export', 'search'].map(
  (name) => `src/commands/bin/${name}.ts`,
);

/** A program is named after its file, without the folder: dist/train.js. */
const programOf = (path) => ({ in: path, out: basename(path, '.ts') });

async function buildPrograms() {
  const entryPoints = [...commands, 'src/commands/data_worker.ts', 'tools/doctor.ts'];
  await esbuild.build({ ...forNode, entryPoints: entryPoints.map(programOf), outdir: 'dist' });
  // data_worker needs no GPU, and is shared.
  const programs = commands.map((path) => ({ in: path, out: `${basename(path, '.ts')}.deno` }));
  await esbuild.build({ ...forDeno, entryPoints: programs, outdir: 'dist' });
  await esbuild.build({ ...forNode, entryPoints: ['web/gallery/make.ts'], outdir: 'dist/gallery' });
  await esbuild.build({
    ...forNode,
    entryPoints: ['loader', 'galleries', 'label_noise', 'learning'].map((name) => `bench/ours/${name}.ts`),
    outdir: 'dist/bench',
  });
}

/** The entries share chunks, so that a program may import both. */
async function buildLibrary() {
  for (const folder of ['node', 'deno', 'browser'])
    rmSync(join(root, 'dist', folder), { recursive: true, force: true });
  const shared = { entryPoints: library, outbase: 'src', splitting: true };
  await esbuild.build({ ...forNode, ...shared, outdir: 'dist/node' });
  await esbuild.build({ ...forDeno, ...shared, outdir: 'dist/deno' });
  const { metafile } = await esbuild.build({
    ...forBrowser,
    ...shared,
    outdir: 'dist/browser',
    minify: true,
    plugins: [plainShaders],
    external: ['@electric-sql/*'], // loaded only when a database is opened
    metafile: true,
  });
  const foreign = Object.keys(metafile.inputs).filter((path) => /^node_modules\/(?!earcut\/)/.test(path));
  if (foreign.length > 0) throw new Error(`the browser library contains packages: ${foreign.join(', ')}`);
  cpSync(join(root, 'node_modules/earcut/LICENSE'), join(root, 'dist/browser/earcut.LICENSE.txt'));
}

/** Declarations, one per source file; their imports name the .js files that a user's compiler looks for. */
function buildTypes() {
  const folder = join(root, 'dist', 'types');
  rmSync(folder, { recursive: true, force: true });
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.types.json'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the library's types do not compile:\n${stdout}`);
  for (const name of readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.d.ts'))) {
    const path = join(folder, name);
    const text = readFileSync(path, 'utf8').replace(/((?:from|import\()\s*'\.[^']*)\.ts'/g, "$1.js'");
    const usesGpu = /\bGPU\w*/.test(text);
    writeFileSync(path, usesGpu ? `/// <reference types="@webgpu/types" />\n${text}` : text);
  }
}

/** dist/test mirrors test/. It is emptied first, because tests whose sources were removed would still run. */
async function buildTests() {
  const names = readdirSync(join(root, 'test'), { recursive: true }).filter((name) => name.endsWith('.test.ts'));
  const isForDeno = (name) => name.startsWith(`wgpu${sep}`);
  rmSync(join(root, 'dist', 'test'), { recursive: true, force: true });
  const pathsOf = (found) => found.map((name) => `test/${name.split(sep).join('/')}`);
  const entryPoints = pathsOf(names.filter((name) => !isForDeno(name)));
  entryPoints.push(
    'test/browser/trace.node.ts',
    'test/web/embed.node.ts',
    'test/soak/soak.node.ts',
    'test/support/page.ts',
    'test/support/fuzz_hdf5.ts',
  );
  await esbuild.build({ ...forNode, entryPoints, outbase: 'test', outdir: 'dist/test' });
  const inDeno = pathsOf(names.filter(isForDeno)).map((path) => ({ in: path, out: path.slice(5, -3) }));
  inDeno.push({ in: 'test/browser/trace.node.ts', out: 'browser/trace.deno' });
  await esbuild.build({ ...forDenoTests, entryPoints: inDeno, outdir: 'dist/test' });
  const page = {
    entryPoints: ['test/browser/trace.browser.ts', 'test/soak/soak.browser.ts'],
    outbase: 'test',
    outdir: 'dist/test',
  };
  await esbuild.build({ ...forBrowser, ...page });
}

try {
  await Promise.all([buildPrograms(), buildLibrary(), buildTests(), buildWeb()]);
  buildTypes();
} catch (error) {
  // esbuild has already printed its own errors, with the source lines.
  if (!error.errors) console.error(`build: ${error.message}`);
  process.exitCode = 1;
}

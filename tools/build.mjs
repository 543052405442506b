/**
 * Bundles everything into dist/: the commands, the library for browsers, the tests. Shaders are loaded as text, and the
 * import `#webgpu` becomes the file for Node or the one for the browser, as `imports` in package.json says.
 */
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const library = 'src/index.ts';
const programs = ['src/train.ts', 'src/evaluate.ts', 'src/doctor.ts', 'src/convert.ts', library];

const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  loader: { '.wgsl': 'text' },
  sourcemap: 'linked',
  logLevel: 'warning',
};

/** Programs that Node starts; packages stay in node_modules, because `webgpu` brings a native library. */
const forNode = { ...common, platform: 'node', target: 'node20', conditions: ['node'], packages: 'external' };

/** Modules that a page loads; no package may be left over, because a browser could not find it. */
const forBrowser = { ...common, platform: 'browser', target: 'es2022', conditions: ['browser'] };

async function buildPrograms() {
  await esbuild.build({ ...forNode, entryPoints: programs, outbase: 'src', outdir: 'dist' });
}

async function buildLibrary() {
  const { metafile } = await esbuild.build({
    ...forBrowser,
    entryPoints: [library],
    outfile: 'dist/romo.browser.js',
    metafile: true,
  });
  const foreign = Object.keys(metafile.inputs).filter((path) => path.startsWith('node_modules/webgpu/'));
  if (foreign.length > 0) throw new Error(`the browser library contains Node's WebGPU: ${foreign.join(', ')}`);
}

/** dist/test mirrors test/; what is there from files since removed would still be run, so it is emptied first. */
async function buildTests() {
  const names = readdirSync(join(root, 'test'), { recursive: true }).filter((name) => name.endsWith('.test.ts'));
  rmSync(join(root, 'dist', 'test'), { recursive: true, force: true });
  const entryPoints = names.map((name) => `test/${name.split(sep).join('/')}`);
  entryPoints.push('test/browser/trace.node.ts');
  await esbuild.build({ ...forNode, entryPoints, outbase: 'test', outdir: 'dist/test' });
  const page = { entryPoints: ['test/browser/trace.browser.ts'], outbase: 'test', outdir: 'dist/test' };
  await esbuild.build({ ...forBrowser, ...page });
}

try {
  await Promise.all([buildPrograms(), buildLibrary(), buildTests()]);
} catch (error) {
  // esbuild has printed its own errors already, with the lines of the source.
  if (!error.errors) console.error(`build: ${error.message}`);
  process.exitCode = 1;
}

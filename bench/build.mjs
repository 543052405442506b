/** Bundles our side of the bench into dist/bench/, and measures the size of the browser library. */
import { gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';
import { forBrowser, forNode, plainShaders } from '../tools/bundle.mjs';

export async function buildBench() {
  const entryPoints = ['bench/ours/main.ts', 'bench/ours/ceilings.ts'];
  await esbuild.build({ ...forNode, entryPoints, outdir: 'dist/bench' });
}

export async function buildTfjs() {
  await esbuild.build({
    ...forNode,
    packages: 'bundle',
    conditions: [],
    format: 'cjs', // it requires Node modules at run time
    sourcemap: false,
    mainFields: ['module', 'main'],
    entryPoints: ['bench/peers/tfjs_library.mjs'],
    outfile: 'dist/bench/tfjs.cjs',
  });
}

/** Bytes of the minified browser library, plain and gzipped. */
export async function librarySize() {
  const { outputFiles } = await esbuild.build({
    ...forBrowser,
    entryPoints: ['src/index.ts'],
    minify: true,
    plugins: [plainShaders],
    sourcemap: false,
    write: false,
  });
  const [{ contents }] = outputFiles;
  return { bytes: contents.length, gzip: gzipSync(contents, { level: 9 }).length };
}

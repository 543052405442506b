/** Bundles our side of the bench into dist/bench/, and tells how large the library is for a page. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';

const common = {
  absWorkingDir: dirname(dirname(fileURLToPath(import.meta.url))),
  bundle: true,
  format: 'esm',
  loader: { '.wgsl': 'text' },
  logLevel: 'warning',
};

export async function buildBench() {
  const forNode = { platform: 'node', target: 'node20', conditions: ['node'], packages: 'external' };
  await esbuild.build({
    ...common,
    ...forNode,
    entryPoints: ['bench/ours/main.ts', 'bench/ours/ceilings.ts'],
    outdir: 'dist/bench',
    sourcemap: 'linked',
  });
}

export async function buildTfjs() {
  await esbuild.build({
    ...common,
    platform: 'node',
    format: 'cjs', // it requires modules of Node while it runs
    mainFields: ['module', 'main'],
    entryPoints: ['bench/peers/tfjs_library.mjs'],
    outfile: 'dist/bench/tfjs.cjs',
  });
}

/** Bytes of the minified browser library, plain and gzipped. */
export async function librarySize() {
  const { outputFiles } = await esbuild.build({
    ...common,
    platform: 'browser',
    target: 'es2022',
    conditions: ['browser'],
    entryPoints: ['src/index.ts'],
    minify: true,
    write: false,
  });
  const [{ contents }] = outputFiles;
  return { bytes: contents.length, gzip: gzipSync(contents, { level: 9 }).length };
}

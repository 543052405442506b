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

/** Bytes of the minified browser library that a page on a GPU loads, plain and gzipped: all exports and that backend. */
export async function librarySize() {
  const { outputFiles, metafile } = await esbuild.build({
    ...forBrowser,
    entryPoints: ['src/index.ts'],
    outdir: 'none',
    splitting: true,
    minify: true,
    plugins: [plainShaders],
    sourcemap: false,
    write: false,
    metafile: true,
  });
  const outputs = Object.entries(metafile.outputs);
  const loaded = new Set(['src/index.ts', 'src/backends/gpu.ts'].map((entry) => pathOf(outputs, entry)));
  for (const path of loaded) {
    for (const { path: next, kind } of metafile.outputs[path].imports)
      if (kind === 'import-statement') loaded.add(next);
  }
  const files = outputFiles.filter(({ path }) => [...loaded].some((name) => path.endsWith(name)));
  const sum = (sizeOf) => files.reduce((total, { contents }) => total + sizeOf(contents), 0);
  return { bytes: sum((text) => text.length), gzip: sum((text) => gzipSync(text, { level: 9 }).length) };
}

const pathOf = (outputs, entry) => outputs.find(([, { entryPoint }]) => entryPoint === entry)[0];

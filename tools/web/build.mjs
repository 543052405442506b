/** Builds the pages from web/ into dist/web, files that any static host can serve. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { forBrowser, plainShaders } from '../bundle.mjs';
import { buildReading } from './reading.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const source = join(root, 'web');
const target = join(root, 'dist', 'web');

const PAGES = [
  {
    name: 'search',
    file: 'index.html',
    title: 'Search by drawing',
    description: 'Draw an object or open a picture and find it among 3D point clouds, on your own GPU.',
  },
  {
    name: 'train',
    file: 'train.html',
    title: 'Watch it learn',
    description: 'Train both stages of RoMo in the browser and watch the losses, the figures and a map of the space.',
  },
  {
    name: 'read',
    file: 'read.html',
    title: 'From a tensor to the gradient',
    description: 'The reading guide with the real WGSL and TypeScript next to the text, and live figures.',
  },
  {
    name: 'check',
    file: 'check.html',
    title: 'What this browser and GPU can do',
    description: 'Examines the GPU: limits, whether it computes right numbers, and how fast; with a report to attach.',
  },
];

/** Fills in the layout's placeholders; an unknown one is an error. */
function render(page, body) {
  const values = { ...page, body };
  const layout = readFileSync(join(source, 'layout.html'), 'utf8');
  return layout.replace(/\{\{(\w+)(?: (\w+))?\}\}/g, (_, name, argument) => {
    if (name === 'current') return argument === page.name ? 'aria-current="page"' : '';
    if (!(name in values)) throw new Error(`layout.html asks for ${name}`);
    return values[name];
  });
}

export async function buildWeb() {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const names = PAGES.map(({ name }) => name);
  const { metafile } = await esbuild.build({
    ...forBrowser,
    entryPoints: names.flatMap((name) => [`web/${name}/main.ts`, `web/${name}/worker.ts`, `web/${name}/page.css`]),
    outbase: 'web',
    outdir: 'dist/web',
    chunkNames: 'chunks/[name]-[hash]',
    splitting: true,
    minify: true,
    metafile: true,
    plugins: [plainShaders],
  });
  for (const page of PAGES) {
    const isReading = page.name === 'read';
    const body = isReading
      ? await buildReading(root, target)
      : readFileSync(join(source, page.name, 'body.html'), 'utf8');
    writeFileSync(join(target, page.file), render(page, body));
  }
  for (const name of ['model.safetensors', 'gallery.safetensors']) {
    copyFileSync(join(source, 'search', name), join(target, 'search', name));
  }
  copyFileSync(join(source, 'icon.svg'), join(target, 'icon.svg'));
  copyFileSync(join(source, 'host', '_headers'), join(target, '_headers'));
  return metafile;
}

/** How esbuild bundles this project, for Node and for browsers. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A hash of all kernels and of their self-test: what is remembered of one version says nothing about another. */
function kernelsHash() {
  if (!existsSync(join(root, 'src'))) return 'unbuilt'; // bundled into a test
  const hash = createHash('sha256');
  const paths = readdirSync(join(root, 'src'), { recursive: true }).filter((path) => /\.wgsl$|selftest/.test(path));
  for (const path of paths.filter((path) => /\.(wgsl|ts)$/.test(path)).sort())
    hash.update(readFileSync(join(root, 'src', path)));
  return hash.digest('hex').slice(0, 16);
}

const common = {
  absWorkingDir: root,
  define: { KERNELS: JSON.stringify(kernelsHash()) },
  bundle: true,
  format: 'esm',
  loader: { '.wgsl': 'text' },
  sourcemap: 'linked',
  logLevel: 'warning',
};

/** Programs that run in Node; packages stay in node_modules, because `webgpu` contains a native library. */
export const forNode = {
  ...common,
  platform: 'node',
  target: 'node20',
  conditions: ['node'],
  packages: 'external',
  loader: { ...common.loader, '.css': 'text' },
};

/** The same for Deno, which has WebGPU of its own. */
export const forDeno = { ...forNode, conditions: ['deno'] };

/** A test in Deno imports others for what they do when they are loaded. */
export const forDenoTests = { ...forDeno, ignoreAnnotations: true };

/** Modules that a page loads; all packages are bundled, because a browser could not find them. */
export const forBrowser = { ...common, platform: 'browser', target: 'es2022', conditions: ['browser'] };

/** Strips comments and insignificant spaces from shaders: the same code in half the bytes. */
export const plainShaders = {
  name: 'plain shaders',
  setup(build) {
    build.onLoad({ filter: /\.wgsl$/ }, ({ path }) => {
      const lines = readFileSync(path, 'utf8')
        .replace(/\/\*[\s\S]*?\*\//g, '')
        .split('\n')
        .map((line) => line.replace(/\/\/.*$/, '').trim());
      const contents = lines
        .join('\n')
        .replace(/\s*([,;:{}()])\s*/g, '$1')
        // Between two operands only: `a - -b` and `a / *b` would become different code.
        .replace(/(?<=[\w)\]]) ([-+*/%<>=!&|^]{1,2}) (?=[\w(])/g, '$1');
      return { contents, loader: 'text' };
    });
  },
};

/** All shaders of the project, and every kernel in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const NUMBERING = join('src', 'tensor', 'launch.wgsl');

/** The text of all WGSL files as the product compiles them, by path: launch.wgsl is not a kernel, but the end of many. */
export function allShaders(): Record<string, string> {
  const paths = readdirSync('src', { recursive: true, encoding: 'utf8' }).map((name) => join('src', name));
  const kernels = paths.filter((path) => path.endsWith('.wgsl') && path !== NUMBERING).sort();
  const numbering = readFileSync(NUMBERING, 'utf8');
  return Object.fromEntries(
    kernels.map((path) => {
      const text = readFileSync(path, 'utf8');
      return [path, /\b(groupOf|indexOf)\(/.test(text) ? `${text}\n${numbering}` : text];
    }),
  );
}

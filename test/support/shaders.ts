/** All shaders of the project, and every kernel in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The text of all WGSL files, by path. */
export function allShaders(): Record<string, string> {
  const names = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.wgsl'));
  return Object.fromEntries(names.sort().map((name) => [join('src', name), readFileSync(join('src', name), 'utf8')]));
}

/** Finds Deno, whose WebGPU (wgpu, naga) is the one of Firefox; npm installs it with the packages for tests. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The program in the one package of `@deno` that npm installed for this system, or null. */
export function findDeno(modules = 'node_modules') {
  const scope = resolve(modules, '@deno');
  const packages = existsSync(scope) ? readdirSync(scope) : [];
  const programs = packages.flatMap((name) => ['deno', 'deno.exe'].map((file) => join(scope, name, file)));
  return programs.find((path) => existsSync(path)) ?? null;
}

/** How a script is started in Deno: with all permissions, like one in Node. */
export const denoWords = (script, ...words) => ['run', '--allow-all', '--quiet', script, ...words];

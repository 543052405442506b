/** What is remembered of self-tests in Node: a file in the user's cache folder. Browsers: memo.browser.ts. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Outcome } from './selftest.ts';

function folder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (process.platform === 'win32') return join(LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'romo', 'Cache');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'romo');
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'romo');
}
const path = () => join(folder(), 'self-tests.json');

/** The versions that kernels depend on, apart from the adapter's. */
export function environment(): string {
  let dawn = 'unknown';
  try {
    dawn = createRequire(import.meta.url)('webgpu/package.json').version;
  } catch {} // bundled into one file
  return `${process.platform} ${process.arch}, webgpu ${dawn}`;
}

/** Outcomes by key; none if the file is missing or unreadable. */
export async function recall(): Promise<Record<string, Outcome>> {
  try {
    return JSON.parse(readFileSync(path(), 'utf8'));
  } catch {
    return {};
  }
}

/** Best effort: without it, the next program tests again. */
export async function remember(outcomes: Record<string, Outcome>): Promise<void> {
  try {
    mkdirSync(folder(), { recursive: true });
    const temporary = `${path()}.${process.pid}`;
    writeFileSync(temporary, JSON.stringify(outcomes));
    renameSync(temporary, path());
  } catch {} // a read-only home
}

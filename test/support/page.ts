/** Runs a script in a headless browser and returns what it posts to `/answer`. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// WebGPU exists only in secure pages; 127.0.0.1 counts as secure.
const HTML =
  '<!doctype html><meta charset="utf-8"><title>trace</title><script type="module" src="/script.js"></script>';

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/**
 * @param script path of a module without imports
 * @param more flags of Chromium, the hash of the page's address, JSON that the page may fetch, by path, and the seconds
 *   within which it must answer
 */
export async function runInBrowser(
  browser: string,
  script: string,
  { flags: own = [] as string[], hash = '', served = {} as Record<string, string>, seconds = 240 } = {},
): Promise<unknown> {
  const profile = mkdtempSync(join(tmpdir(), 'romo-browser-'));
  let answer: (body: string) => void = () => {};
  const answered = new Promise<string>((resolve) => {
    answer = resolve;
  });
  const server = createServer(async (request, response) => {
    if (request.url === '/answer') answer(await bodyOf(request));
    const isScript = request.url === '/script.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? readFileSync(script) : (served[request.url ?? ''] ?? HTML));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const flags =
    '--headless=new --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader --no-first-run --disable-dev-shm-usage';
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []; // Chromium refuses to run as root in a sandbox
  const address = `http://127.0.0.1:${port}/#${hash}`;
  const words = [...flags.split(' '), ...own, ...sandbox, `--user-data-dir=${profile}`, address];
  const child = spawn(browser, words, { stdio: ['ignore', 'ignore', 'pipe'], detached: process.platform !== 'win32' });
  let complaints = '';
  child.stderr.on('data', (text) => {
    complaints = (complaints + text).slice(-4000);
  });
  const ended = new Promise<never>((_, reject) => {
    child.on('error', (error) => reject(new Error(`${browser} could not be started: ${error.message}`)));
    child.on('exit', (code) => reject(new Error(`${browser} ended with ${code} before it answered:\n${complaints}`)));
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer from ${browser} after ${seconds} s:\n${complaints}`)),
      seconds * 1000,
    );
  });
  try {
    return JSON.parse(await Promise.race([answered, ended, late]));
  } finally {
    clearTimeout(timer);
    ended.catch(() => {});
    late.catch(() => {});
    await stop(child.pid, child);
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}

/** Ends the browser with all its processes. */
async function stop(pid: number | undefined, child: ReturnType<typeof spawn>): Promise<void> {
  if (pid === undefined || child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.on('exit', resolve));
  if (process.platform === 'win32') child.kill('SIGKILL');
  else process.kill(-pid, 'SIGKILL');
  await gone;
}

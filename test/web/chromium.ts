/** The real browser that the pages are tested in, with software adapters for WebGPU and WebGL. */
import { type Browser, type BrowserContextOptions, chromium, type Page, type Response } from 'playwright-core';
import * as assert from 'uvu/assert';
import { findBrowser } from '../../tools/browsers.mjs';
import { serveFolder } from '../../tools/web/server.mjs';

// Without compositing on what is no GPU, the page tests take half of the time. WebGL and WebGPU stay as they are.
const FLAGS = [
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--disable-gpu-compositing',
  '--disable-dev-shm-usage',
];
const WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

export async function openBrowser({ webgpu = true } = {}): Promise<Browser> {
  const executablePath = findBrowser();
  if (!executablePath) throw new Error('no browser was found: set ROMO_BROWSER, or skip these tests with --no-browser');
  const args = [...FLAGS, ...(webgpu ? WEBGPU : ['--disable-features=WebGPU', '--disable-blink-features=WebGPU'])];
  // Chromium refuses to run as root with a sandbox.
  return chromium.launch({ executablePath, args, chromiumSandbox: process.getuid?.() !== 0, headless: true });
}

export interface Watched {
  readonly page: Page;
  /** script errors, console errors, requests to other hosts and requests other than GET */
  readonly complaints: string[];
}

/**
 * Opens a page that records what goes wrong in it. By default its clouds do not turn, because a software adapter would spend most
 * of its time drawing them.
 */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  onResponse: (response: Response) => void = () => {},
): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`script: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico'))
      complaints.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const target = new URL(request.url());
    const isOwn = target.origin === new URL(url).origin || ['blob:', 'data:'].includes(target.protocol);
    if (!isOwn || request.method() !== 'GET') complaints.push(`${request.method()} ${request.url()}`);
  });
  page.on('response', onResponse);
  await page.goto(url);
  return { page, complaints };
}

/** What index.html of a folder writes into its `output` as JSON, once that contains `mark`. Fails on any browser error. */
// biome-ignore lint/suspicious/noExplicitAny: what a page writes has no type
export async function outputOf(folder: string, mark: string): Promise<any> {
  const [server, browser] = [await serveFolder(folder), await openBrowser()];
  try {
    const { page, complaints } = await openPage(browser, server.url);
    const output = page.locator('output');
    await output.filter({ hasText: mark }).waitFor();
    const written = JSON.parse(await output.innerText());
    assert.equal(complaints, []);
    return written;
  } finally {
    await browser.close();
    server.close();
  }
}

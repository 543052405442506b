/** The hosted pages: size, content security policy, any folder of any static host, browsers without WebGPU. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page, Response } from 'playwright-core';
import * as assert from 'uvu/assert';
import { serveFolder } from '../../tools/web/server.mjs';
import { openBrowser, openPage, type Watched } from './chromium.ts';
import { accessibilityFaults, isReady, siteSuite } from './site.ts';

const { test, site } = siteSuite('host');

const ready: Record<string, (page: Page) => Promise<void>> = {
  'index.html': isReady,
  'train.html': isReady,
  'check.html': isReady,
  'read.html': (page) => page.locator('#figure-rcll figcaption', { hasText: 'cross entropy' }).waitFor(),
};

const root = mkdtempSync(join(tmpdir(), 'romo-host-'));
let server: Awaited<ReturnType<typeof serveFolder>>;
/** A page served from a subfolder of a host; the sizes of its files after gzip. Opening one takes seconds, so tests share them. */
interface Opened extends Watched {
  readonly sizes: Promise<ReadonlyMap<string, number>>;
}
const opened = new Map<string, Opened>();

test.before(async () => {
  cpSync(join('dist', 'web'), join(root, 'some', 'folder'), { recursive: true });
  server = await serveFolder(root);
});
test.after(() => {
  server.close();
  rmSync(root, { recursive: true });
});

async function open(path: string): Promise<Opened> {
  const known = opened.get(path);
  if (known) return known;
  const responses: Response[] = [];
  const watched = await openPage(site().browser, `${server.url}some/folder/${path}`, {}, (response) =>
    responses.push(response),
  );
  await ready[path](watched.page);
  const weighed = responses.filter((response) => !response.url().endsWith('.safetensors') && response.status() === 200);
  const sizes = weighed.map(
    async (response) =>
      [new URL(response.url()).pathname, gzipSync(await response.body(), { level: 9 }).length] as const,
  );
  const result = { ...watched, sizes: Promise.all(sizes).then((entries) => new Map(entries)) };
  opened.set(path, result);
  return result;
}

test('the search page weighs under 350 KB, without model and gallery', () => weigh('index.html', 350_000));
// The training page has no required limit; this one guards against unnoticed growth.
test('the training page weighs under 350 KB', () => weigh('train.html', 350_000));

async function weigh(path: string, limit: number): Promise<void> {
  const sizes = await (await open(path)).sizes;
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  console.log(`${path}: ${bytes} bytes after gzip, in ${sizes.size} files`);
  const folder = path === 'index.html' ? 'search' : 'train';
  assert.ok(sizes.has(`/some/folder/${folder}/worker.js`), `the worker was not weighed: ${[...sizes.keys()]}`);
  assert.ok(bytes < limit, `${bytes} bytes`);
}

test('pages work from a subfolder of a host and request only their own files', async () => {
  for (const path of Object.keys(ready)) assert.equal((await open(path)).complaints, [], path);
});

test('the policy refuses eval, inline scripts, inline styles and other hosts', async () => {
  for (const path of Object.keys(ready)) {
    const { page } = await open(path);
    const refused = await page.evaluate(async () => {
      const names: string[] = [];
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => names.push(effectiveDirective));
      const script = Object.assign(document.createElement('script'), { textContent: 'globalThis.wasRun = true' });
      document.head.append(script);
      document.body.insertAdjacentHTML('beforeend', '<p style="color: red"></p>');
      await fetch('https://example.org/').catch(() => {});
      // Run this in one of the page's own tasks: developer tools are exempt from the policy.
      await new Promise<void>((resolve) => {
        setTimeout(() => {
          try {
            // biome-ignore lint/security/noGlobalEval: must be refused
            globalThis.eval('globalThis.wasRun = true');
          } catch {
            names.push('eval');
          }
          setTimeout(resolve, 50);
        });
      });
      if ('wasRun' in globalThis) names.push('a script was run');
      return [...new Set(names)].sort();
    });
    assert.equal(refused, ['connect-src', 'eval', 'script-src', 'script-src-elem', 'style-src-attr'], path);
  }
});

test('without WebGPU each page says so, and which browsers and flags have it', async () => {
  const browser = await openBrowser({ webgpu: false });
  try {
    for (const path of Object.keys(ready)) {
      const { page, complaints } = await openPage(browser, `${site().url}${path}`);
      if (path === 'read.html') {
        // Reading works without a GPU; only the figures are missing.
        await page.locator('#figure-knn figcaption', { hasText: /does not support WebGPU|found no adapter/ }).waitFor();
        await page.locator('.listing', { hasText: 'import' }).first().waitFor();
      } else {
        const notice = page.locator('#no-webgpu');
        for (const text of ['enable-unsafe-webgpu', 'Chrome', 'Safari', 'Firefox', 'dom.webgpu.enabled']) {
          await notice.filter({ hasText: text }).waitFor();
        }
        assert.not(await page.locator('#app').isVisible());
      }
      await page.screenshot({ path: `dist/screenshots/${path.replace('.html', '')}-no-webgpu.png` });
      assert.equal(await accessibilityFaults(page), [], path);
      assert.equal(complaints, [], path);
      await page.context().close();
    }
  } finally {
    await browser.close();
  }
});

test.run();

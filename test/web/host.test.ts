/** The hosted pages: size, content security policy, any folder of any static host, browsers without WebGPU. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { serveFolder } from '../../tools/web/server.mjs';
import { openBrowser, openPage } from './chromium.ts';
import { accessibilityFaults, isReady, siteSuite } from './site.ts';

const { test, site } = siteSuite('host');

const ready: Record<string, (page: Page) => Promise<void>> = {
  'index.html': isReady,
  'train.html': isReady,
  'read.html': (page) => page.locator('#figure-rcll figcaption', { hasText: 'cross entropy' }).waitFor(),
};

test('the search page weighs under 350 KB, without model and gallery', () => weigh('index.html', 350_000));
// The training page has no required limit; this one guards against unnoticed growth.
test('the training page weighs under 350 KB', () => weigh('train.html', 350_000));

async function weigh(path: string, limit: number): Promise<void> {
  const sizes = new Map<string, number>();
  const context = await site().browser.newContext();
  try {
    const page = await context.newPage();
    page.on('response', async (response) => {
      const name = new URL(response.url()).pathname;
      if (name.endsWith('.safetensors') || response.status() !== 200) return;
      sizes.set(name, gzipSync(await response.body(), { level: 9 }).length);
    });
    await page.goto(`${site().url}${path}`);
    await isReady(page);
  } finally {
    await context.close();
  }
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  console.log(`${path}: ${bytes} bytes after gzip, in ${sizes.size} files`);
  const folder = path === 'index.html' ? 'search' : 'train';
  assert.ok(sizes.has(`/${folder}/worker.js`), `the worker was not weighed: ${[...sizes.keys()]}`);
  assert.ok(bytes < limit, `${bytes} bytes`);
}

test('pages work from a subfolder of a host and request only their own files', async () => {
  const root = mkdtempSync(join(tmpdir(), 'romo-host-'));
  cpSync(join('dist', 'web'), join(root, 'some', 'folder'), { recursive: true });
  const server = await serveFolder(root);
  try {
    for (const [path, isOpen] of Object.entries(ready)) {
      const { page, complaints } = await openPage(site().browser, `${server.url}some/folder/${path}`);
      await isOpen(page);
      assert.equal(complaints, [], path);
      await page.context().close();
    }
  } finally {
    server.close();
    rmSync(root, { recursive: true });
  }
});

test('the policy refuses eval, inline scripts, inline styles and other hosts', async () => {
  const context = await site().browser.newContext();
  try {
    const page = await context.newPage();
    for (const path of Object.keys(ready)) {
      await page.goto(`${site().url}${path}`);
      const refused = await page.evaluate(async () => {
        const names: string[] = [];
        document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) =>
          names.push(effectiveDirective),
        );
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
  } finally {
    await context.close();
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

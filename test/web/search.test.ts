/** The search page in a real browser: drawing, dropping files, other models, and what may go wrong. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { findBrowser, findSwiftShader } from '../../tools/browsers.mjs';
import { openBrowser, openPage } from './chromium.ts';
import { accessibilityFaults, CHAIR, draw, dropFile, found, isReady, layoutShift, siteSuite } from './site.ts';

const { test, site } = siteSuite('search page');

test('a drawn chair finds chairs, within 3 s of the first stroke', () =>
  site().visit('', async (page) => {
    await isReady(page);
    const start = performance.now();
    await draw(page, CHAIR.slice(0, 1));
    await page.locator('#cards .caption span', { hasText: /\w/ }).first().waitFor();
    const first = performance.now() - start;
    console.log(`first result ${first.toFixed(0)} ms after the first stroke began`);
    assert.ok(first < 3000, `${first} ms`);
    await draw(page, CHAIR.slice(1));
    await page.locator('#status', { hasText: 'Nearest: chair' }).waitFor();
    await page.waitForTimeout(500);
    const names = await found(page);
    assert.is(names.length, 12);
    assert.equal(names.slice(0, 6), Array(6).fill('chair'));
    await page.click('#clear');
    await page.waitForFunction(() => document.querySelectorAll('#cards .view > *').length === 0);
    assert.equal(await found(page), []);
    assert.ok((await layoutShift(page)) < 0.01, `layout shift ${await layoutShift(page)}`);
  }));

test('by keyboard: an example drawing, then a 3D object whose nearest pictures are shown', () =>
  site().visit('', async (page) => {
    await isReady(page);
    await page.locator('#examples button').first().focus();
    await page.keyboard.press('Enter');
    await page.locator('#status', { hasText: 'Nearest: chair' }).waitFor();
    await page.locator('input[value=draw]').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.locator('#objects button').first().focus();
    const wanted = (await page.locator('#objects button').first().getAttribute('aria-label'))?.replace(/.*: /, '');
    await page.keyboard.press('Space');
    await page.locator('#status', { hasText: `Nearest: ${wanted}` }).waitFor();
    assert.is(await page.locator('#cards .view canvas[role=img]').count(), 12);
    assert.is(await page.locator('#results-heading').innerText(), 'Nearest pictures');
  }));

test('a dropped picture is cut out and searched', () =>
  site().visit('', async (page) => {
    await isReady(page);
    // A dark table on white paper, drawn by the browser itself.
    const base64 = await page.evaluate(() => {
      const canvas = document.createElement('canvas');
      canvas.width = 300;
      canvas.height = 200;
      const context = canvas.getContext('2d') as CanvasRenderingContext2D;
      context.fillStyle = '#fff';
      context.fillRect(0, 0, 300, 200);
      context.lineWidth = 5;
      context.strokeRect(60, 60, 160, 12);
      for (const x of [68, 100, 180, 212]) context.strokeRect(x, 72, 1, x % 100 < 20 ? 60 : 80);
      return canvas.toDataURL('image/png').split(',')[1];
    });
    await dropFile(page, 'table.png', Buffer.from(base64, 'base64'));
    await page.locator('#status', { hasText: 'Nearest' }).waitFor();
    assert.ok(await page.locator('input[value=photo]').isChecked());
    assert.ok((await found(page)).includes('table'), `${await found(page)}`);
  }));

test('files that are no good are named; the page goes on', () =>
  site().visit('', async (page) => {
    await isReady(page);
    const model = readFileSync('web/search/model.safetensors');
    const before = await page.locator('#model').innerText();
    for (const [name, bytes] of [
      ['cut.safetensors', model.subarray(0, model.length / 2)],
      ['empty.safetensors', new Uint8Array()],
      ['notes.txt', new TextEncoder().encode('no picture')],
      ['broken.off', new TextEncoder().encode('OFF\n3 1 0\n0 0')],
    ] as const) {
      await dropFile(page, name, bytes);
      await page.locator('#message', { hasText: name.replace(/\.\w+$/, '') }).waitFor();
    }
    assert.is(await page.locator('#model').innerText(), before);
    await draw(page, CHAIR);
    await page.locator('#status', { hasText: 'Nearest: chair' }).waitFor();
  }));

test('a lost device: the page says so and answers again', () =>
  site().visit('', async (page) => {
    await isReady(page);
    await page.locator('#examples button').first().click();
    await page.locator('#fingerprint', { hasText: /^\w{64}$/ }).waitFor();
    const before = (await page.locator('#fingerprint').textContent()) ?? '';
    await page.evaluate(() => document.querySelector('#fingerprint')?.replaceChildren('–'));
    await page.locator('summary', { hasText: 'curious' }).click();
    await page.click('#lose');
    await page.locator('#message', { hasText: 'The GPU was lost' }).waitFor();
    await page.locator('#fingerprint', { hasText: before }).waitFor({ state: 'attached' });
  }));

test('a model trained in Node gives the same bits in the page, on the same adapter', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'romo-model-'));
  try {
    const file = join(folder, 'tiny.safetensors');
    const driver = findSwiftShader(findBrowser() as string) as string;
    const env = { ...process.env, VK_DRIVER_FILES: driver };
    const printed = execFileSync(process.execPath, ['dist/test/web/embed.node.js', file], { env, encoding: 'utf8' });
    const inNode = JSON.parse(printed);
    await site().visit('', async (page) => {
      await isReady(page);
      await page.setInputFiles('#model-file', file);
      await page.locator('#model', { hasText: 'tiny.safetensors' }).waitFor();
      await page.locator('#examples button').first().click();
      await page.locator('#fingerprint', { hasText: inNode.picture }).waitFor({ state: 'attached' });
      await page.locator('#kinds label', { hasText: '3D object' }).click();
      await page.locator('#objects button').nth(2).click();
      await page.locator('#fingerprint', { hasText: inNode.cloud }).waitFor({ state: 'attached' });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('without WebGPU the page says which browsers have it', async () => {
  const browser = await openBrowser({ webgpu: false });
  try {
    await site().visit('', async (watched) => {
      const { page, complaints } = await openPage(browser, watched.url());
      await page.locator('#no-webgpu', { hasText: 'enable-unsafe-webgpu' }).waitFor();
      assert.not.ok(await page.locator('#app').isVisible());
      assert.equal(complaints, []);
      assert.equal(await accessibilityFaults(page), []);
    });
  } finally {
    await browser.close();
  }
});

test('the page weighs under 350 KB, without model and gallery', async () => {
  let bytes = 0;
  const names: string[] = [];
  await site().visit('train.html', async (page) => {
    page.on('response', async (response) => {
      if (response.url().endsWith('.safetensors') || response.status() !== 200) return;
      const size = gzipSync(await response.body().catch(() => Buffer.alloc(0)), { level: 9 }).length;
      names.push(`${new URL(response.url()).pathname} ${size}`);
      bytes += size;
    });
    await page.goto(new URL('index.html', page.url()).href);
    await isReady(page);
  });
  console.log(`search page: ${bytes} bytes after gzip: ${names.join(', ')}`);
  assert.ok(bytes > 50_000 && bytes < 350 * 1024, `${bytes} bytes`);
});

test.run();

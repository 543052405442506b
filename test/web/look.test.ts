/** How the pages look and read: axe without complaint in light, dark and at a phone's width; screenshots in dist/screenshots. */
import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { accessibilityFaults, isReady, layoutShift, siteSuite } from './site.ts';

const { test, site } = siteSuite('look');
const FOLDER = 'dist/screenshots';
mkdirSync(FOLDER, { recursive: true });

const WIDE = { width: 1280, height: 900 };
const STYLES = {
  light: { viewport: WIDE, colorScheme: 'light' },
  dark: { viewport: WIDE, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'light' },
} as const;

const PAGES: Record<string, (page: Page) => Promise<void>> = {
  async index(page) {
    await isReady(page);
    await page.locator('#examples button').nth(1).click();
    await page.locator('#status', { hasText: 'Nearest' }).waitFor();
    await page.waitForTimeout(600);
  },
  async train(page) {
    await isReady(page);
    await page.setInputFiles('#model-file', 'web/search/model.safetensors');
    await page.locator('#status', { hasText: 'are shown' }).waitFor();
  },
  async read(page) {
    await page.locator('#figure-rcll figcaption', { hasText: 'cross entropy' }).waitFor();
    await page.locator('#figure-knn').scrollIntoViewIfNeeded();
    await page.waitForTimeout(500);
  },
};

for (const [name, ready] of Object.entries(PAGES)) {
  test(`${name}: no layout jump; light, dark and a phone's width`, () =>
    site().visit(
      `${name}.html`,
      async (page) => {
        await ready(page);
        const shift = await layoutShift(page);
        assert.ok(shift < 0.02, `layout shift ${shift}`);
        for (const [style, { viewport, colorScheme }] of Object.entries(STYLES)) {
          await page.setViewportSize(viewport);
          await page.emulateMedia({ colorScheme });
          await page.waitForTimeout(300);
          await page.screenshot({ path: `${FOLDER}/${name}-${style}.png`, fullPage: name !== 'read' });
          assert.equal(await accessibilityFaults(page), [], style);
          const [content, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
          assert.ok(content <= width, `${content} pixels wide on a screen of ${width}`);
        }
      },
      { reducedMotion: 'reduce' },
    ));
}

test('the reading page shows another file, and figures answer the keyboard', () =>
  site().visit('read.html', async (page) => {
    await page.locator('#figure-knn figcaption', { hasText: 'Point 20' }).waitFor();
    await page.locator('#figure-knn input').first().focus();
    await page.keyboard.press('ArrowRight');
    await page
      .locator('#figure-knn figcaption', { hasText: 'Point 21, nearest first, itself included: 21,' })
      .waitFor();
    const section = page.locator('section', { has: page.locator('[id="9-pairs-attract"]') });
    await section.locator('button', { hasText: 'losses.wgsl' }).click();
    await section.locator('.listing', { hasText: 'fn contrastive' }).waitFor();
    await section.locator('a', { hasText: 'losses.ts' }).click();
    await section.locator('.listing', { hasText: 'export function contrastive' }).waitFor();
  }));

test.run();

/** The look of the pages in each state: no axe violations in light, dark and at a phone's width; screenshots. */
import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { accessibilityFaults, CHAIR, draw, dropFile, isReady, layoutShift, siteSuite } from './site.ts';

const { test, site } = siteSuite('look');
/** `ROMO_SCREENSHOTS=FOLDER` saves a screenshot of every state, which takes longer than the rest of this file. */
const pictures = process.env.ROMO_SCREENSHOTS;
if (pictures) mkdirSync(pictures, { recursive: true });

const WIDE = { width: 1280, height: 900 };
/** All of axe's rules are checked in `light`; in the others only those on which colours or the layout have an effect. */
const STYLES = {
  light: { viewport: WIDE, colorScheme: 'light', rules: undefined },
  dark: { viewport: WIDE, colorScheme: 'dark', rules: ['color-contrast', 'link-in-text-block'] },
  phone: {
    viewport: { width: 390, height: 844 },
    colorScheme: 'light',
    rules: ['color-contrast', 'scrollable-region-focusable', 'target-size', 'meta-viewport'],
  },
} as const;

/** The states of a page, and the steps that lead from each to the next. */
type States = readonly (readonly [name: string, reach: (page: Page) => Promise<unknown>])[];

const PAGES: Record<string, States> = {
  index: [
    ['opened', isReady],
    [
      'found',
      async (page) => {
        await draw(page, CHAIR);
        await page.locator('#status', { hasText: 'Nearest: chair' }).waitFor();
      },
    ],
    [
      'own-object',
      async (page) => {
        const corners = Array.from({ length: 8 }, (_, i) => `${i & 1} ${(i >> 1) & 1} ${i >> 2}`);
        const box = ['OFF', '8 4 0', ...corners, '4 0 1 5 4', '4 1 3 7 5', '4 3 2 6 7', '4 2 0 4 6'].join('\n');
        await dropFile(page, 'box.off', new TextEncoder().encode(box));
        await page.locator('#own', { hasText: 'box.off' }).waitFor();
        for (const details of await page.locator('summary').all()) await details.click();
      },
    ],
    [
      'pictures',
      async (page) => {
        await page.locator('#kinds label', { hasText: '3D object' }).click();
        await page.locator('#objects button').nth(20).click();
        await page.locator('#results-heading', { hasText: 'Nearest pictures' }).waitFor();
      },
    ],
    [
      'bad-file',
      async (page) => {
        await page.locator('#kinds label', { hasText: 'Picture' }).click();
        await dropFile(page, 'notes.txt', new TextEncoder().encode('no picture'));
        await page.locator('#message', { hasText: 'notes.txt' }).waitFor();
      },
    ],
  ],
  train: [
    ['opened', isReady],
    [
      'loaded',
      async (page) => {
        await page.setInputFiles('#model-file', 'web/search/model.safetensors');
        await page.locator('#status', { hasText: 'are shown' }).waitFor();
        await page.check('#by-class');
        await page.locator('summary').click();
      },
    ],
  ],
  check: [
    ['opened', isReady],
    [
      'measured',
      async (page) => {
        await page.click('#measure');
        await page.locator('#status', { hasText: 'measured' }).waitFor();
        await page.locator('summary').click();
      },
    ],
  ],
  read: [
    ['opened', (page) => page.locator('#figure-rcll figcaption', { hasText: 'cross entropy' }).waitFor()],
    ['knn', (page) => page.locator('#figure-knn').scrollIntoViewIfNeeded()],
    ['edge-conv', (page) => page.locator('#figure-edge-conv').scrollIntoViewIfNeeded()],
    ['rcll', (page) => page.locator('#figure-rcll').scrollIntoViewIfNeeded()],
  ],
};

for (const [name, states] of Object.entries(PAGES)) {
  test(`${name}: nothing jumps; axe finds no fault in ${states.length} states, light, dark and at a phone's width`, () =>
    site().visit(
      `${name}.html${name === 'check' ? '?seconds=1' : ''}`,
      async (page) => {
        for (const [state, reach] of states) {
          const before = await layoutShift(page);
          await reach(page);
          const shift = (await layoutShift(page)) - before;
          assert.ok(shift < 0.02, `${state}: layout shift ${shift}`);
          for (const [style, { viewport, colorScheme, rules }] of Object.entries(STYLES)) {
            await page.setViewportSize(viewport);
            await page.emulateMedia({ colorScheme });
            // The reading page is long: scroll to the state's figure.
            if (name === 'read' && state !== 'opened') await page.locator(`#figure-${state}`).scrollIntoViewIfNeeded();
            await page.waitForTimeout(150);
            const whole = name !== 'read' && state !== 'bad-file';
            const path = `${pictures}/${name}-${state}-${style}.png`;
            if (pictures) await page.screenshot({ path, fullPage: whole });
            // The reading page has tens of thousands of elements: check all once, and the figures again at the end.
            if (name !== 'read' || state === 'opened' || state === 'rcll') {
              const part = state === 'rcll' ? 'figure' : undefined;
              assert.equal(await accessibilityFaults(page, part, rules), [], `${state}, ${style}`);
            }
            const [content, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
            assert.ok(content <= width, `${state}: ${content} pixels wide on a screen of ${width}`);
          }
          // Moves caused by resizing the window do not count: wait two frames for the layout to settle.
          await page.setViewportSize(WIDE);
          await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
        }
      },
      { reducedMotion: 'reduce' },
    ));
}

test('the reading page shows another file, and figures answer the keyboard', () =>
  site().visit('read.html', async (page) => {
    // The figure's numbers: the largest sum in the table, after the slope, is the op's output.
    const caption = page.locator('#figure-edge-conv figcaption', { hasText: 'is the output' });
    const [, largest, output] =
      /largest sum, ([−.\d]+)(?:, times 0.2 below zero)?, is the output of edgeConv: ([−.\d]+)\./.exec(
        await caption.innerText(),
      ) ?? [];
    const [sum, put] = [largest, output].map((text) => Number(text.replace('−', '-')));
    assert.ok(Math.abs(put - Math.max(sum, 0.2 * sum)) < 0.0011 && sum !== 0, `${sum} and ${put}`);
    await page.locator('#figure-knn figcaption', { hasText: 'Point 20' }).waitFor();
    await page.locator('#figure-knn input').first().focus();
    await page.keyboard.press('ArrowRight');
    await page
      .locator('#figure-knn figcaption', { hasText: 'Point 21, nearest first, itself included: 21,' })
      .waitFor();
    const section = page.locator('section', { has: page.locator('h2', { hasText: 'Pairs attract' }) });
    await section.locator('button', { hasText: 'losses.wgsl' }).click();
    await section.locator('.listing', { hasText: 'fn contrastive' }).waitFor();
    await section.locator('a', { hasText: 'losses.ts' }).click();
    await section.locator('.listing', { hasText: 'export function contrastive' }).waitFor();
    const links = await page
      .locator('main a')
      .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
    for (const link of new Set(links)) {
      const url = new URL(link);
      if (url.hash) assert.is(await page.locator(`[id="${url.hash.slice(1)}"]`).count(), 1, link);
      else if (url.origin === new URL(page.url()).origin) assert.ok((await page.request.get(link)).ok(), link);
    }
  }));

test('code fits its pane: no line is cut off, and long ones wrap with a hanging indent', () =>
  site().visit('read.html', async (page) => {
    for (const viewport of [WIDE, STYLES.phone.viewport]) {
      await page.setViewportSize(viewport);
      let broken = 0;
      for (const listing of await page.locator('.listing').all()) {
        await listing.scrollIntoViewIfNeeded();
        await listing.locator('.line').first().waitFor();
        const { path, content, width, hangs } = await listing.evaluate((element) => {
          const lines = [...element.querySelectorAll('.line')].map((line) => ({
            height: line.getBoundingClientRect().height,
            hang: Number.parseFloat(getComputedStyle(line).paddingLeft),
          }));
          const single = Math.min(...lines.map(({ height }) => height));
          const hangs = lines.filter(({ height }) => height > 1.5 * single).map(({ hang }) => hang);
          const { scrollWidth: content, clientWidth: width, dataset } = element as HTMLElement;
          return { path: dataset.shown, content, width, hangs };
        });
        assert.ok(content <= width, `${path}: ${content} pixels of code in a pane of ${width}`);
        assert.ok(Math.min(...hangs) > 0, `${path}: a long line wraps to the margin`);
        broken += hangs.length;
      }
      assert.ok(broken > 0, 'no line was too long for its pane, so this test checked nothing');
    }
  }));

test.run();

/** The built site and a browser, shared by the tests of a file, and a visitor's actions. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { suite, type Test } from 'uvu';
import * as assert from 'uvu/assert';
import { serveFolder } from '../../tools/web/server.mjs';
import { openBrowser, openPage, type Watched } from './chromium.ts';

export interface Site {
  readonly browser: Browser;
  /** the folder's address, which ends in a slash */
  readonly url: string;
  /** Opens a page, runs the body, and fails on any browser error. */
  visit(path: string, body: (page: Page) => Promise<void>, options?: BrowserContextOptions): Promise<void>;
  /**
   * A ready page shared by the tests of a file, since opening one takes seconds. Each test fails on any browser error.
   */
  shared(path: string): Promise<Page>;
}

export function siteSuite(name: string): { test: Test; site: () => Site } {
  const test = suite(name);
  let browser: Browser | undefined;
  let server: Awaited<ReturnType<typeof serveFolder>> | undefined;
  test.before(async () => {
    [server, browser] = await Promise.all([serveFolder(join(process.cwd(), 'dist', 'web')), openBrowser()]);
  });
  test.after(async () => {
    await browser?.close();
    server?.close();
  });
  let watched: Watched | undefined;
  const shared: Site['shared'] = async (path) => {
    if (!watched) {
      watched = await openPage(browser as Browser, `${server?.url}${path}`);
      await isReady(watched.page);
    }
    return watched.page;
  };
  test.after.each(() => assert.equal(watched?.complaints.splice(0) ?? [], []));
  const visit: Site['visit'] = async (path, body, options) => {
    const { page, complaints }: Watched = await openPage(browser as Browser, `${server?.url}${path}`, options);
    try {
      await body(page);
      assert.equal(complaints, []);
    } finally {
      await page.context().close();
    }
  };
  return { test, site: () => ({ browser: browser as Browser, url: server?.url as string, visit, shared }) };
}

export type Point = readonly [number, number];

/** A chair from the side, as if drawn by hand, in fractions of the drawing area. */
export const CHAIR: readonly (readonly Point[])[] = [
  [
    [0.3, 0.15],
    [0.32, 0.55],
    [0.3, 0.9],
  ],
  [
    [0.32, 0.55],
    [0.65, 0.55],
    [0.67, 0.9],
  ],
  [
    [0.3, 0.15],
    [0.36, 0.15],
    [0.38, 0.5],
    [0.65, 0.52],
    [0.65, 0.55],
  ],
];

/** A mug, and a car from the side. */
export const MUG: readonly (readonly Point[])[] = [
  [
    [0.25, 0.25],
    [0.25, 0.8],
    [0.65, 0.8],
    [0.65, 0.25],
    [0.25, 0.25],
  ],
  [
    [0.65, 0.35],
    [0.8, 0.38],
    [0.82, 0.55],
    [0.75, 0.68],
    [0.65, 0.68],
  ],
];
export const CAR: readonly (readonly Point[])[] = [
  [
    [0.05, 0.6],
    [0.08, 0.48],
    [0.28, 0.45],
    [0.38, 0.3],
    [0.68, 0.3],
    [0.78, 0.46],
    [0.95, 0.5],
    [0.95, 0.64],
    [0.05, 0.64],
    [0.05, 0.6],
  ],
  [
    [0.2, 0.64],
    [0.22, 0.57],
    [0.3, 0.57],
    [0.33, 0.64],
    [0.3, 0.71],
    [0.22, 0.71],
    [0.2, 0.64],
  ],
  [
    [0.7, 0.64],
    [0.72, 0.57],
    [0.8, 0.57],
    [0.83, 0.64],
    [0.8, 0.71],
    [0.72, 0.71],
    [0.7, 0.64],
  ],
];

/** Points of an arc of an ellipse; angles in degrees, clockwise from the right. */
const arc = ([x, y]: Point, [across, down]: Point, from: number, to: number): Point[] =>
  Array.from({ length: 9 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / 8) * Math.PI) / 180;
    return [x + across * Math.cos(angle), y + down * Math.sin(angle)];
  });

/** Two digits. */
export const THREE: readonly (readonly Point[])[] = [
  [...arc([0.5, 0.28], [0.2, 0.18], -140, 90), ...arc([0.5, 0.68], [0.24, 0.22], -90, 140)],
];
export const SEVEN: readonly (readonly Point[])[] = [
  [
    [0.26, 0.14],
    [0.73, 0.15],
    [0.56, 0.5],
    [0.44, 0.9],
  ],
];

export async function draw(page: Page, strokes: readonly (readonly Point[])[]): Promise<void> {
  const box = await page.locator('#pad').boundingBox();
  if (!box) throw new Error('the drawing area is not visible');
  for (const [first, ...others] of strokes) {
    await page.mouse.move(box.x + first[0] * box.width, box.y + first[1] * box.height);
    await page.mouse.down();
    for (const [x, y] of others) await page.mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: 3 });
    await page.mouse.up();
  }
}

/** Waits until the page is ready; a failure includes the page's messages. */
export async function isReady(page: Page): Promise<void> {
  const status = page.locator('#status');
  await status
    .filter({ hasText: 'Ready' })
    .waitFor()
    .catch(async () => {
      assert.unreachable(`${await status.innerText()} ${await page.locator('#message').innerText()}`);
    });
}

/** Names on the cards, most similar first. */
export async function found(page: Page): Promise<string[]> {
  const names = await page.locator('#cards .caption span:first-child').allInnerTexts();
  return names.filter((name) => name !== '');
}

/** Drops a file on the page, as with the mouse. */
export async function dropFile(page: Page, name: string, bytes: Uint8Array): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([label, base64]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], label));
      return data;
    },
    [name, Buffer.from(bytes).toString('base64')],
  );
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}

/** Sum of all layout shifts without user input (CLS). */
export const layoutShift = (page: Page): Promise<number> =>
  page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
            if (!entry.hadRecentInput) sum += entry.value;
          }
        }).observe({ type: 'layout-shift', buffered: true });
        setTimeout(() => resolve(sum), 300);
      }),
  );

const axeSource = () => readFileSync(join('node_modules', 'axe-core', 'axe.min.js'), 'utf8');

interface Axe {
  run(
    on: string,
    options: object,
  ): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
}

/**
 * axe's violations in the current state of the page, or of a part of it.
 * @param rules the only rules to check; by default all that axe enables
 */
export async function accessibilityFaults(page: Page, part = ':root', rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axeSource());
  // Elements without faults are many, and what axe reports of them is not used.
  const options = { resultTypes: ['violations'], ...(rules ? { runOnly: { type: 'rule', values: rules } } : {}) };
  const { violations } = await page.evaluate(
    ([selector, how]) => (globalThis as unknown as { axe: Axe }).axe.run(selector, how),
    [part, options] as const,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}

/** The training page in a real browser: a run of 21 steps, controlled, interrupted, downloaded and loaded again. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { accessibilityFaults, isReady, layoutShift, siteSuite } from './site.ts';

const { test, site } = siteSuite('train page');
const folder = mkdtempSync(join(tmpdir(), 'romo-train-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));
const modelPath = join(folder, 'page.safetensors');

/** 60 objects in batches of 20: 3 steps per epoch, 12 in stage 1, 9 in stage 2. */
async function plan(page: Page): Promise<void> {
  await isReady(page);
  await page.selectOption('[name=train]', '60');
  await page.fill('[name=epochs1]', '4');
  await page.fill('[name=epochs2]', '3');
}

const done = (page: Page) => page.locator('#status', { hasText: 'Done' }).waitFor({ timeout: 120_000 });
const step = (page: Page, text: RegExp) => page.locator('#loss-text', { hasText: text }).waitFor({ timeout: 120_000 });

async function downloadModel(page: Page): Promise<Buffer> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download')]);
  assert.is(download.suggestedFilename(), 'model.safetensors');
  return readFileSync(await download.path());
}

/** The loss text once the two steps in flight have ended. */
async function settled(page: Page): Promise<string> {
  const shown = () => page.locator('#loss-text').innerText();
  for (let before = await shown(); ; ) {
    await page.waitForTimeout(1500);
    const now = await shown();
    if (now === before) return now;
    before = now;
  }
}

let trained: Buffer;
/** the trained model's figures on the page: mAP in both directions */
let figures: string;
const figuresOf = async (page: Page) =>
  (await page.locator('#retrieval-text').innerText()).replace(/^.*?: /, '').replace(/ \(.*/, '');

test('21 steps: the loss falls, everything is shown, the file can be downloaded', () =>
  site().visit('train.html', async (page) => {
    await plan(page);
    await page.evaluate(() => {
      const texts: string[] = [];
      Object.assign(globalThis, { texts });
      const place = document.getElementById('loss-text') as HTMLElement;
      new MutationObserver(() => texts.push(place.textContent ?? '')).observe(place, { childList: true });
    });
    // The page must stay responsive: measure the longest time without a turn of its loop, and how long training takes.
    await page.evaluate(() => {
      const start = performance.now();
      const turns = { longest: 0, last: start, whole: () => performance.now() - start };
      Object.assign(globalThis, { turns });
      setInterval(() => {
        const now = performance.now();
        turns.longest = Math.max(turns.longest, now - turns.last);
        turns.last = now;
      }, 20);
    });
    await page.click('#start');
    await done(page);
    const [longest, whole] = await page.evaluate(() => {
      const { turns } = globalThis as unknown as { turns: { longest: number; whole(): number } };
      return [turns.longest, turns.whole()];
    });
    const texts = await page.evaluate(() => (globalThis as unknown as { texts: string[] }).texts);
    const losses = texts.map((text) => Number(/total ([\d.]+)/.exec(text)?.[1]));
    assert.is(losses.length, 21);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    assert.ok(mean(losses.slice(9, 12)) < 0.95 * mean(losses.slice(0, 3)), `stage 1: ${losses.slice(0, 12)}`);
    assert.ok(mean(losses.slice(18)) < mean(losses.slice(12, 15)), `stage 2: ${losses.slice(12)}`);
    assert.match(await page.locator('#retrieval-text').innerText(), /After epoch 7: .* 0\.\d{3}/);
    assert.is(await page.locator('#clusters li').count(), 10);
    console.log(`longest time without a turn of the page's loop: ${longest.toFixed(0)} ms of ${whole.toFixed(0)}`);
    // A share of the whole, which does not depend on the machine's speed: on the page's own thread, a stage would be most of it.
    assert.ok(longest < whole / 4, `${longest} of ${whole} ms`);
    assert.ok((await layoutShift(page)) < 0.02, `layout shift ${await layoutShift(page)}`);
    await page.screenshot({ path: 'dist/screenshots/train-21-steps.png', fullPage: true });
    assert.equal(await accessibilityFaults(page), []);
    figures = await figuresOf(page);
    trained = await downloadModel(page);
    writeFileSync(modelPath, trained);
    // Stage 2 again, with another loss and noise, from the same warm-up.
    await page.selectOption('[name=loss]', 'cross-entropy');
    await page.locator('[name=noise]').fill('40');
    assert.is(await page.locator('#noise-shown').innerText(), '40 %');
    await page.click('#again');
    await step(page, /Stage 2, step 9 of 9/);
    await done(page);
    assert.is(Buffer.compare(trained, await downloadModel(page)) === 0, false, 'another loss gave the same model');
  }));

test('pause, a hidden tab and a lost device change nothing in the result', () =>
  site().visit('train.html', async (page) => {
    await plan(page);
    await page.click('#start');
    await step(page, /Stage 1, step [4-9] /);
    await page.click('#pause');
    const paused = await settled(page);
    await page.waitForTimeout(1500);
    assert.is(await page.locator('#loss-text').innerText(), paused, 'training continued while paused');
    await page.click('#pause');
    await step(page, /Stage 1, step (8|9|1\d) /);
    await page.locator('summary', { hasText: 'curious' }).click();
    await page.click('#lose');
    await page.locator('#message', { hasText: 'training continues from the end of epoch' }).waitFor();
    await step(page, /Stage 2, step [3-9] /);
    const hide = (hidden: boolean) =>
      page.evaluate((value) => {
        Object.defineProperty(document, 'hidden', { value, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await hide(true);
    assert.is(await page.locator('#pause').innerText(), 'Resume');
    const hidden = await settled(page);
    await page.waitForTimeout(1500);
    assert.is(await page.locator('#loss-text').innerText(), hidden, 'training continued while hidden');
    await hide(false);
    assert.is(await page.locator('#pause').innerText(), 'Pause');
    await done(page);
    assert.is(Buffer.compare(trained, await downloadModel(page)), 0, 'the model differs from the undisturbed one');
  }));

test('the downloaded model loads here, and gives the same search result each time', async () => {
  await site().visit('train.html', async (page) => {
    await isReady(page);
    await page.setInputFiles('#model-file', modelPath);
    await page.locator('#status', { hasText: 'its map and figures are shown' }).waitFor();
    assert.is(await figuresOf(page), figures, 'the loaded model is not the one that was downloaded');
    // A damaged file changes nothing.
    const path = join(folder, 'cut.safetensors');
    writeFileSync(path, trained.subarray(0, 5000));
    await page.setInputFiles('#model-file', path);
    await page.locator('#message', { hasText: 'cut.safetensors is not a valid safetensors file' }).waitFor();
    assert.ok(await page.locator('#start').isEnabled());
    assert.is(Buffer.compare(trained, await downloadModel(page)), 0);
    assert.equal(await accessibilityFaults(page), []);
  });
  const results: string[] = [];
  await site().visit('', async (page) => {
    await isReady(page);
    const search = async () => {
      await page.setInputFiles('#model-file', modelPath);
      await page.locator('#model', { hasText: 'page.safetensors' }).waitFor();
      await page.locator('#examples button').first().click();
      await page.locator('#fingerprint', { hasText: /^\w{64}$/ }).waitFor({ state: 'attached' });
      results.push(`${await page.locator('#fingerprint').textContent()} ${await page.locator('#cards').innerText()}`);
    };
    await search();
    await page.reload();
    await isReady(page);
    await search();
  });
  assert.is(results[0], results[1]);
});

test.run();

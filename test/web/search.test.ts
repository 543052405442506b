/** The search page in a real browser: drawing, dropping files, other models, and errors. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { parseGeometry } from '../../src/files/formats.ts';
import { findBrowser, findSwiftShader } from '../../tools/browsers.mjs';
import { glbOf } from '../support/glb.ts';
import { CAR, CHAIR, draw, dropFile, found, isReady, layoutShift, MUG, SEVEN, siteSuite, THREE } from './site.ts';

const { test, site } = siteSuite('search page');

/** Selects drawing with an empty pad, whatever the previous test left. */
const toDrawing = (page: Page) => page.locator('#kinds label', { hasText: 'Draw' }).click();

/** Waits for the answer to the last stroke; one search runs at a time. */
const settled = (page: Page) => page.locator('#cards:not([aria-busy=true])').waitFor();

test('a drawn chair finds chairs, from the first stroke on', async () => {
  const page = await site().shared('');
  const start = performance.now();
  await draw(page, CHAIR.slice(0, 1));
  // The rest is drawn only once there are results, so that they cannot come from a complete drawing.
  await page.locator('#cards.ranked .caption span', { hasText: /\w/ }).first().waitFor();
  console.log(`first result ${(performance.now() - start).toFixed(0)} ms after the first stroke began`);
  await draw(page, CHAIR.slice(1));
  await page.locator('#status', { hasText: 'Nearest: chair' }).waitFor();
  await settled(page);
  assert.equal((await found(page)).slice(0, 6), Array(6).fill('chair'));
  assert.is((await found(page)).length, 12);
  await page.click('#clear');
  await page.locator('#results-heading', { hasText: 'In the gallery' }).waitFor();
  assert.is(await page.locator('#cards.ranked').count(), 0);
  assert.ok((await layoutShift(page)) < 0.01, `layout shift ${await layoutShift(page)}`);
});

test('a drawing made before the page is ready is still searched; found clouds turn', () =>
  site().visit(
    '',
    async (page) => {
      const start = performance.now();
      await draw(page, CHAIR);
      await page.locator('#status', { hasText: 'Nearest: chair' }).waitFor();
      console.log(`${(performance.now() - start).toFixed(0)} ms from a drawing on the page just opened to its result`);
      await settled(page);
      const picture = () => page.locator('#cards li').first().screenshot();
      const before = await picture();
      for (const until = performance.now() + 60_000; (await picture()).equals(before); ) {
        assert.ok(performance.now() < until, 'the clouds stand still');
      }
    },
    { reducedMotion: 'no-preference' },
  ));

test('other drawings find their kind', async () => {
  const page = await site().shared('');
  for (const [name, strokes] of Object.entries({ mug: MUG, car: CAR, 'digit 3': THREE, 'digit 7': SEVEN })) {
    await draw(page, strokes);
    await page.locator('#status', { hasText: `Nearest: ${name}` }).waitFor();
    await settled(page);
    const names = await found(page);
    assert.ok(names.filter((other) => other === name).length >= 8, `${name}: ${names}`);
    await page.click('#clear');
    await page.locator('#results-heading', { hasText: 'In the gallery' }).waitFor();
  }
});

test('the example drawings find their kind', async () => {
  const page = await site().shared('');
  for (const example of await page.locator('#examples button').all()) {
    const name = (await example.getAttribute('aria-label'))?.replace('Example drawing: ', '');
    await example.click();
    await page.locator('#status', { hasText: `Nearest: ${name}` }).waitFor();
  }
});

test('by keyboard: an example drawing, then a 3D object whose nearest pictures are shown', async () => {
  const page = await site().shared('');
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
  assert.is(await page.locator('#cards .view canvas').count(), 12);
  assert.is(await page.locator('#results-heading').innerText(), 'Nearest pictures');
  // A click on a card searches with its picture for objects.
  await page.locator('#cards button').first().focus();
  await page.keyboard.press('Enter');
  await page.locator('#results-heading', { hasText: 'Nearest 3D objects' }).waitFor();
  await page.locator('#status', { hasText: `Nearest: ${wanted}` }).waitFor();
  assert.ok(await page.locator('input[value=photo]').isChecked());
});

test('a dropped picture is cut out and searched', async () => {
  const page = await site().shared('');
  // A dark table on white paper, drawn in the browser.
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
  await page.locator('#status', { hasText: /Nearest: .*table/ }).waitFor();
  assert.ok(await page.locator('input[value=photo]').isChecked());
  assert.ok((await found(page)).includes('table'), `${await found(page)}`);
});

/** A mug-like tube with a bottom and 24 sides, as an OBJ with y up. */
function tubeObj(): string {
  const corner = (i: number, y: number) => {
    const angle = (2 * Math.PI * i) / 24;
    // Multiples of 1/1024, which are the same in the 32 bits of a GLB.
    const [x, z] = [Math.cos(angle), Math.sin(angle)].map((value) => Math.round(410 * value) / 1024);
    return `v ${x} ${y} ${z}`;
  };
  const ring = Array.from({ length: 24 }, (_, i) => i);
  const sides = ring.map((i) => `f ${i + 1} ${((i + 1) % 24) + 1} ${((i + 1) % 24) + 25} ${i + 25}`);
  const bottom = `f ${ring.map((i) => i + 1).join(' ')}`;
  return [...ring.map((i) => corner(i, 0)), ...ring.map((i) => corner(i, 1)), ...sides, bottom].join('\n');
}

/** A box without its lid. */
const boxOff = (): string =>
  ['OFF', '8 5 0', ...Array.from({ length: 8 }, (_, i) => `${i & 1} ${(i >> 1) & 1} ${i >> 2}`)]
    .concat(['4 0 2 3 1', '4 0 1 5 4', '4 1 3 7 5', '4 3 2 6 7', '4 2 0 4 6'])
    .join('\n');

test('dropped meshes and clouds join the gallery and are found', async () => {
  const page = await site().shared('');
  await dropFile(page, 'tube.obj', new TextEncoder().encode(tubeObj()));
  await page.locator('#own', { hasText: 'tube.obj' }).waitFor();
  const points = Array.from({ length: 300 }, (_, i) => `${i % 7} ${i % 11} ${i % 13}`);
  const header = ['ply', 'format ascii 1.0', 'element vertex 300', ...'xyz'].map((word) =>
    word.length === 1 ? `property float ${word}` : word,
  );
  const cloud = [...header, 'end_header', ...points].join('\n');
  await dropFile(page, 'block.ply', new TextEncoder().encode(`${cloud}\n`));
  await page.locator('#own', { hasText: 'block.ply' }).waitFor();
  await dropFile(page, 'box.off', new TextEncoder().encode(boxOff()));
  await page.locator('#own', { hasText: 'box.off' }).waitFor();
  assert.ok(await page.locator('#message').isHidden(), await page.locator('#message').innerText());
  await page.locator('#kinds label', { hasText: '3D object' }).click();
  assert.is(await page.locator('#objects button').count(), 243);
  const tube = page.locator('#objects button[aria-label$="tube"]');
  await tube.click();
  await page.locator('#status', { hasText: /Nearest: (mug|bottle)/ }).waitFor();
});

test('the same object is the same entry under any name and in any format, with y or z up', async () => {
  const page = await site().shared('');
  const mesh = await parseGeometry(new TextEncoder().encode(tubeObj()), 'tube.obj');
  const fingerprints = new Set<string>();
  for (const [name, bytes] of [
    ['one.obj', new TextEncoder().encode(tubeObj())],
    ['two.obj', new TextEncoder().encode(tubeObj())],
    ['three.glb', glbOf(mesh)],
  ] as const) {
    await dropFile(page, name, bytes);
    await page.locator('#own', { hasText: name }).waitFor();
    await page.locator('#kinds label', { hasText: '3D object' }).click();
    await page.evaluate(() => document.querySelector('#fingerprint')?.replaceChildren('–'));
    await page.locator(`#objects button[aria-label$="${name.replace(/\..*/, '')}"]`).click();
    await page.locator('#fingerprint', { hasText: /[0-9a-f]{64}/ }).waitFor({ state: 'attached' });
    fingerprints.add((await page.locator('#fingerprint').textContent()) ?? '');
  }
  assert.is(fingerprints.size, 1);
});

test('invalid files are named; the page keeps working', async () => {
  const page = await site().shared('');
  const model = readFileSync('web/search/model.safetensors');
  const before = await page.locator('#model').innerText();
  for (const [name, bytes] of [
    ['cut.safetensors', model.subarray(0, model.length / 2)],
    ['empty.safetensors', new Uint8Array()],
    ['notes.txt', new TextEncoder().encode('no picture')],
    ['broken.off', new TextEncoder().encode('OFF\n3 1 0\n0 0')],
    ['hollow.obj', new TextEncoder().encode('v 0 0\nf 1 2 3')],
    ['half.ply', new TextEncoder().encode('ply\nformat ascii 1.0\nelement vertex 9')],
    // File names are inserted as text, never as HTML.
    ['<img src="x" onerror="document.title = 1">.off', new TextEncoder().encode('OFF')],
  ] as const) {
    await dropFile(page, name, bytes);
    await page.locator('#message', { hasText: name.replace(/\.\w+$/, '') }).waitFor();
  }
  assert.is(await page.locator('#model').innerText(), before);
  await dropFile(page, '<b id="made">tube.obj', new TextEncoder().encode(tubeObj()));
  await page.locator('#own', { hasText: '<b id="made">tube.obj' }).waitFor();
  assert.is(await page.locator('img, #made').count(), 0);
  await toDrawing(page);
  await draw(page, CHAIR);
  await page.locator('#status', { hasText: 'Nearest: chair' }).waitFor();
});

test('a lost device: the page says so and answers again', async () => {
  const page = await site().shared('');
  await toDrawing(page);
  await page.locator('#examples button').first().click();
  await settled(page);
  const before = (await page.locator('#fingerprint').textContent()) ?? '';
  await page.evaluate(() => document.querySelector('#fingerprint')?.replaceChildren('–'));
  await page.locator('summary', { hasText: 'curious' }).click();
  await page.click('#lose');
  await page.locator('#message', { hasText: 'The GPU was lost' }).waitFor();
  await page.locator('#fingerprint', { hasText: before }).waitFor({ state: 'attached' });
});

test('a model trained in Node gives the same bits in the page, on the same adapter', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'romo-model-'));
  try {
    const file = join(folder, 'tiny.safetensors');
    const driver = findSwiftShader(findBrowser() as string) as string;
    const env = { ...process.env, VK_DRIVER_FILES: driver };
    const mesh = join(folder, 'tube.obj');
    writeFileSync(mesh, tubeObj());
    const words = ['dist/test/web/embed.node.js', file, mesh];
    const printed = execFileSync(process.execPath, words, { env, encoding: 'utf8' });
    const inNode = JSON.parse(printed);
    await site().visit('', async (page) => {
      await isReady(page);
      await page.setInputFiles('#mesh-files', mesh); // prepared again for the next model
      await page.locator('#own', { hasText: 'tube.obj' }).waitFor();
      await page.setInputFiles('#model-file', file);
      await page.locator('#model', { hasText: 'tiny.safetensors' }).waitFor();
      await page.locator('#examples button').first().click();
      await page.locator('#fingerprint', { hasText: inNode.picture }).waitFor({ state: 'attached' });
      await page.locator('#kinds label', { hasText: '3D object' }).click();
      await page.locator('#objects button').nth(2).click();
      await page.locator('#fingerprint', { hasText: inNode.cloud }).waitFor({ state: 'attached' });
      await page.locator('#objects button[aria-label$="tube"]').click();
      await page.locator('#fingerprint', { hasText: inNode.mesh }).waitFor({ state: 'attached' });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();

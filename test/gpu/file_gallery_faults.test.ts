/** A gallery of files refuses what is wrong: vectors, questions, models, damaged files. */
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { GalleryReader } from '../../src/search/files/gallery_reader.ts';
import { entryOf, fileGallerySuite, manyOf } from '../support/file_gallery.ts';
import { blockVector, fails, STAMP } from '../support/gallery.ts';

const { test, folder, newPath, open, asPage } = fileGallerySuite('file gallery, faults');

test('bad vectors and bad questions are refused, and nothing of the call is kept', async () => {
  const gallery = await open(newPath(), STAMP);
  const good = entryOf(1, 'image', 1);
  const bad = (vector: Float32Array) => gallery.upsert([good, { ...good, id: 'bad', vector }]);
  const nan = blockVector(1).map((value, i) => (i === 3 ? Number.NaN : value));
  await fails(bad(blockVector(1).slice(0, 12)), 'shape', /the image of "bad" has 12 numbers, .* 16/);
  await fails(bad(new Float32Array(0)), 'shape', /has 0 numbers/);
  await fails(bad(nan), 'not-finite', /"bad" is NaN at 3/);
  await fails(bad(blockVector(1).map((value) => 2 * value)), 'not-unit', /length 2/);
  await fails(gallery.upsert([good, good]), 'gallery', /"id 1" is given twice/);
  assert.is((await gallery.info()).images, 0);
  await gallery.upsert([good]);
  await fails(gallery.search(new Float32Array(8), { top: 1 }), 'shape', /a query has 8 numbers/);
  await fails(gallery.search(new Float32Array(16), { top: 1 }), 'not-unit', /length 0/);
  await fails(gallery.search(nan, { top: 1 }), 'not-finite', /NaN/);
  await fails(gallery.search(blockVector(1), { top: 0 }), 'shape', /top is 0/);
  await gallery.close();
});

test('another model, no gallery, another folder', async () => {
  const path = newPath();
  await (await open(path, STAMP)).close();
  const other = { ...STAMP, sha256: 'b'.repeat(64) };
  await fails(open(path, other), 'gallery', /made by the model a{12}.* not by b{12}/);
  await fails(open(path, { ...STAMP, stage: 'ssm' }), 'gallery', /rdl.*ssm/);
  await fails(open(newPath()), 'gallery', /there is not a gallery/);
  await fails(open(folder, STAMP), 'gallery', /is not a gallery and holds/);
});

test('damage is told: manifest, vectors, lines', async () => {
  const path = newPath();
  const gallery = await open(path, STAMP);
  await gallery.upsert(manyOf(9));
  await gallery.close();
  const text = readFileSync(join(path, 'gallery.json'), 'utf8');
  const manifest = JSON.parse(text);
  const changed = (change: (value: typeof manifest) => void) => (at: string) => {
    const value = JSON.parse(text);
    change(value);
    writeFileSync(at, JSON.stringify(value));
  };
  const faults: readonly [string, (path: string) => void, RegExp][] = [
    ['gallery.json', (at) => truncateSync(at, 50), /is not JSON/],
    ['gallery.json', (at) => writeFileSync(at, '[]'), /not a JSON object/],
    ['gallery.json', (at) => writeFileSync(at, '{}'), /is not a gallery/],
    ['gallery.json', changed((m) => Object.assign(m, { version: 9 })), /version 9.*Update/],
    ['gallery.json', changed((m) => Object.assign(m.model, { dimension: '16' })), /model is/],
    ['gallery.json', changed((m) => Object.assign(m.parts[0], { name: '../x' })), /valid name/],
    ['gallery.json', changed((m) => Object.assign(m.parts[0], { rows: 8 })), /\[9, 16\].*\[8, 16\]/],
    ['gallery.json', changed((m) => Object.assign(m.parts[0], { dead: [3, 3] })), /dead rows/],
    ['gallery.json', changed((m) => m.parts.push(m.parts[0])), /listed twice/],
    [`${manifest.parts[0].name}.safetensors`, (at) => truncateSync(at, 300), /safetensors.*bytes/],
    [`${manifest.parts[0].name}.safetensors`, (at) => truncateSync(at, 5), /header length/],
    [`${manifest.parts[0].name}.safetensors`, (at) => rmSync(at), /files are missing/],
    [`${manifest.parts[0].name}.jsonl`, (at) => truncateSync(at, 100), /line 2: is not JSON/],
    [`${manifest.parts[0].name}.jsonl`, (at) => writeFileSync(at, ''), /has 0 lines/],
    [`${manifest.parts[0].name}.jsonl`, (at) => writeFileSync(at, Buffer.from([0xff, 0xfe])), /UTF-8/],
  ];
  for (const [name, damage, pattern] of faults) {
    const copy = newPath();
    cpSync(path, copy, { recursive: true });
    damage(join(copy, name));
    await fails(open(copy), 'file', pattern);
    if (!/missing/.test(pattern.source)) await fails(asPage(copy) as Promise<GalleryReader>, 'file', pattern);
  }
});

test('damaged numbers are refused when they are first searched', async () => {
  for (const [number, vectorOf] of [
    [5, (vector: Float32Array) => vector.fill(Number.NaN, 3, 4)],
    [8, (vector: Float32Array) => vector.fill(0)],
  ] as const) {
    const path = newPath();
    const gallery = await open(path, STAMP);
    await gallery.upsert(manyOf(9));
    await gallery.close();
    const [name] = readdirSync(path).filter((file) => file.endsWith('.safetensors'));
    const file = readFileSync(join(path, name));
    const start = file.length - (9 - number) * 64;
    file.set(new Uint8Array(vectorOf(new Float32Array(file.buffer.slice(start, start + 64))).buffer), start);
    writeFileSync(join(path, name), file);
    const damaged = await open(path);
    const says = new RegExp(`${name}: row ${number} is not a vector of unit length.*Copy`);
    for (const reader of [damaged, damaged, await asPage(path)]) {
      await fails(reader.search(blockVector(1), { top: 1 }), 'file', says);
    }
    await damaged.close();
  }
});

test.run();

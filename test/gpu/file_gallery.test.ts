/** A gallery of files: the same contents as a plain map, and reading as a page does. */
import { readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { matches, orderOfTexts, parseFilter } from '../../src/search/filter.ts';
import type { Entry, Gallery, Modality, Numbers, SearchOptions } from '../../src/search/gallery.ts';
import { entryOf, fileGallerySuite, manyOf } from '../support/file_gallery.ts';
import { blockVector, checkSources, fails, STAMP } from '../support/gallery.ts';
import { times } from '../support/gpu.ts';

const { test, gpu, newPath, open, asPage } = fileGallerySuite('file gallery');

/** The expected answers, from the definition. Products of these vectors are exact. */
function naive(entries: Iterable<Entry>, query: Float32Array, { top, modality, where }: SearchOptions) {
  return [...entries]
    .filter((entry) => (!modality || entry.modality === modality) && (!where || matches(where, entry.metadata)))
    .map(({ id, modality, source = '', vector, metadata }) => {
      const similarity = vector.reduce((sum, value, i) => sum + value * query[i], 0);
      return { id, modality, source, metadata, similarity };
    })
    .sort((a, b) => b.similarity - a.similarity || orderOfTexts(a.id, b.id) || orderOfTexts(a.modality, b.modality))
    .slice(0, top);
}

const modalities = fc.constantFrom<Modality>('image', 'points');
const keys = fc.record({ number: fc.nat(60), modality: modalities, seed: fc.nat(5) });
const steps = fc.oneof(
  { weight: 6, arbitrary: fc.record({ upsert: fc.array(keys, { minLength: 1, maxLength: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ remove: fc.array(fc.nat(70), { maxLength: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ reopen: fc.constant(true) }) },
);
/** The vectors are exact in f16, too. */
const numbers = fc.constantFrom<Numbers>('f32', 'f16');
const WHERES = [undefined, parseFilter("category = 'even' and size < 40"), parseFilter("not category = 'even'")];

test('whatever is done to it, it answers as a map does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 3, maxLength: 14 }), numbers, async (plan, stored) => {
      const path = newPath();
      let gallery = await open(path, STAMP, stored);
      const expected = new Map<string, Entry>();
      for (const step of plan) {
        if ('upsert' in step) {
          const byKey = new Map<string, Entry>();
          for (const { number, modality, seed } of step.upsert)
            byKey.set(`${modality} ${number}`, entryOf(number, modality, seed));
          await gallery.upsert([...byKey.values()]);
          for (const [key, entry] of byKey) expected.set(key, entry);
        } else if ('remove' in step) {
          const before = expected.size;
          for (const number of step.remove)
            for (const modality of ['image', 'points']) expected.delete(`${modality} ${number}`);
          assert.is(await gallery.remove(step.remove.map((number) => `id ${number}`)), before - expected.size);
        } else {
          await gallery.close();
          gallery = await open(path, STAMP);
        }
      }
      const queries = Float32Array.from([...blockVector(1), ...blockVector(2)]);
      for (const where of WHERES) {
        for (const options of [
          { top: 5, where },
          { top: 90, where, modality: 'image' as const },
        ]) {
          const wanted = [1, 2].map((seed) => naive(expected.values(), blockVector(seed), options));
          assert.equal(await gallery.search(queries, options), wanted);
          assert.equal(await (await asPage(path)).search(queries, options), wanted, 'read as a page does');
        }
      }
      const { images, points } = await gallery.info();
      assert.is(images + points, expected.size);
      const ids = ['id 1', 'id 2', 'id 61'];
      const there = ids.filter((id) => expected.has(`image ${id.slice(3)}`));
      assert.equal([...(await gallery.present(ids, 'image')).keys()], there);
      await gallery.close();
    }),
    { numRuns: times(12) },
  );
});

test('small parts are merged: few files, whatever the number of calls', async () => {
  const path = newPath();
  const gallery = await open(path, STAMP);
  for (const entry of manyOf(130)) await gallery.upsert([entry]);
  const files = readdirSync(path);
  assert.ok(files.length <= 2 * (7 + 7 + 2) + 1, `${files.length} files`);
  assert.is((await gallery.info()).images, 130);
  await gallery.close();
});

test('collections with the same ids are apart, and are searched apart', async () => {
  const path = newPath();
  const gallery = await open(path, STAMP);
  await checkSources(gallery);
  const sources = ['folder:a', 'folder:b'];
  for (const source of sources) await gallery.upsert(manyOf(2).map((entry) => ({ ...entry, source })));
  for (const reader of [gallery, await asPage(path)]) {
    const answersOf = async (source?: string) => (await reader.search(blockVector(1), { top: 9, source }))[0];
    const shown = (answers: { id: string; source: string }[]) => answers.map(({ id, source }) => `${source} ${id}`);
    assert.equal(shown(await answersOf('folder:b')).sort(), ['folder:b id 0', 'folder:b id 1']);
    const all = await answersOf();
    assert.is(all.length, 4);
    assert.equal(
      all.filter(({ id }) => id === 'id 0').map(({ source }) => source),
      sources,
      'ties',
    );
  }
  await gallery.close();
});

test('a gallery of version 1 opens, and answers as before', async () => {
  const path = newPath();
  const gallery = await open(path, STAMP);
  await gallery.upsert(manyOf(3));
  await gallery.close();
  const manifest = readFileSync(join(path, 'gallery.json'), 'utf8');
  writeFileSync(join(path, 'gallery.json'), manifest.replace('"version": 2', '"version": 1'));
  const again = await open(path, STAMP);
  assert.equal(await again.search(blockVector(1), { top: 3 }), [naive(manyOf(3), blockVector(1), { top: 3 })]);
  assert.equal((await again.info()).sources, [{ source: '', images: 3, points: 0 }]);
  assert.equal([...(await again.present(['id 1'], 'image'))], [['id 1', '']]);
  await again.upsert([{ ...entryOf(1, 'image', 2), source: 'folder:a' }]);
  assert.match(readFileSync(join(path, 'gallery.json'), 'utf8'), /"version": 2/);
  assert.is((await again.info()).images, 4);
  await again.close();
});

test('two that write take turns, and see what the other wrote', async () => {
  const path = newPath();
  const [first, second] = [await open(path, STAMP), await open(path, STAMP)];
  const all = manyOf(60);
  const write = async (gallery: Gallery, from: number) => {
    for (let i = from; i < 60; i += 2) await gallery.upsert([all[i]]);
  };
  await Promise.all([write(first, 0), write(second, 1)]);
  for (const gallery of [first, second]) {
    assert.equal(await gallery.search(blockVector(3), { top: 60 }), [naive(all, blockVector(3), { top: 60 })]);
    await gallery.close();
  }
});

test('vectors stay on the GPU while they count, and only while there is room', async () => {
  const path = newPath();
  const bytes = () => gpu().memory().liveBytes;
  const before = bytes();
  const gallery = await open(path, STAMP);
  const all = manyOf(300);
  for (const some of [all.slice(0, 100), all.slice(100)]) await gallery.upsert(some);
  const ask = async () => (await gallery.search(blockVector(3), { top: 20 }))[0];
  const [wanted] = [naive(all, blockVector(3), { top: 20 })];
  assert.equal(await ask(), wanted);
  const kept = bytes();
  assert.ok(kept - before >= 300 * 64, `${kept - before} bytes`);
  for (const { name } of JSON.parse(readFileSync(join(path, 'gallery.json'), 'utf8')).parts) {
    truncateSync(join(path, `${name}.safetensors`), 0); // nothing is read again
  }
  assert.equal(await ask(), wanted);
  assert.is(bytes(), kept);
  await gallery.remove(all.map(({ id }) => id));
  assert.equal(await ask(), []);
  assert.is(bytes(), before);

  const { budget } = gpu();
  const other = gpu()
    .empty([2 ** 20])
    .keep();
  budget.limit = budget.used + 2 ** 20; // more than half of it is in use
  try {
    await gallery.upsert(all);
    for (let time = 0; time < 2; time++) {
      assert.equal(await ask(), wanted, 'without room');
      assert.is(bytes(), before + other.bytes);
    }
  } finally {
    budget.limit = Number.POSITIVE_INFINITY;
    other.dispose();
  }
  assert.equal(await ask(), wanted);
  assert.ok(bytes() > before);
  await gallery.close();
  assert.is(bytes(), before);
});

test('f16 takes half the bytes, and a gallery keeps its kind of numbers', async () => {
  const sizes = { f32: 0, f16: 0 };
  const [a, b] = [0.6 + 2 ** -13, 0.8].map((value) => value / Math.hypot(0.6 + 2 ** -13, 0.8));
  for (const stored of ['f32', 'f16'] as const) {
    const path = newPath();
    const gallery = await open(path, STAMP, stored);
    const vector = new Float32Array(16);
    vector.set([a, b]);
    await gallery.upsert(manyOf(400));
    await gallery.upsert([{ ...entryOf(400, 'points', 1), vector }]);
    const [[answer]] = await gallery.search(vector, { top: 1, modality: 'points' });
    const rounded =
      stored === 'f16' ? 2 ** -11 * (Math.round(a * 2 ** 11) * a + Math.round(b * 2 ** 11) * b) : a * a + b * b;
    assert.ok(Math.abs(answer.similarity - rounded) < 1e-7, `${answer.similarity}, not ${rounded}`);
    assert.match((await gallery.info()).storage, new RegExp(`parts of ${stored}`));
    await gallery.close();
    for (const name of readdirSync(path).filter((file) => /safetensors$/.test(file))) {
      sizes[stored] += readFileSync(join(path, name)).length;
    }
    const other = stored === 'f16' ? 'f32' : 'f16';
    await fails(open(path, STAMP, other), 'gallery', new RegExp(`stores ${stored}, not ${other}`));
    await (await open(path, STAMP)).close();
  }
  assert.is(sizes.f32 - sizes.f16, 401 * 16 * 2);
});

test('a reader notices a new gallery.json, even one of the same size and date', async () => {
  const path = newPath();
  const gallery = await open(path, STAMP);
  await gallery.upsert(manyOf(10));
  const manifest = join(path, 'gallery.json');
  const text = readFileSync(manifest, 'utf8');
  const count = async () => (await gallery.info()).images;
  const write = (content: string, seconds: number) => {
    writeFileSync(manifest, content);
    utimesSync(manifest, seconds, seconds);
  };
  const now = Date.now() / 1000;
  write(text, now - 100);
  assert.is(await count(), 10);
  write(text.replace('"dead": []', '"dead": [1]'), now - 50);
  assert.is(await count(), 9, 'another size and date');
  write(text.replace('"dead": []', '"dead": [1,2]'), now);
  assert.is(await count(), 8);
  write(text.replace('"dead": []', '"dead": [3,4]'), now); // it may have come in the same tick
  assert.equal((await gallery.ids()).sort(), ['id 0', 'id 1', 'id 2', 'id 5', 'id 6', 'id 7', 'id 8', 'id 9']);
  await gallery.close();
});

test('an empty gallery has no answers', async () => {
  const path = newPath();
  const gallery = await open(path, STAMP);
  assert.equal(await gallery.search(blockVector(0), { top: 3 }), [[]]);
  assert.equal(await (await asPage(path)).search(blockVector(0), { top: 3 }), [[]]);
  assert.is(await gallery.remove(['id 1']), 0);
  await gallery.upsert([]);
  await gallery.upsert(manyOf(4));
  const where = parseFilter("category = 'none such'");
  assert.equal(await gallery.search(blockVector(0), { top: 3, where }), [[]]);
  assert.is(await gallery.remove(['id 0', 'id 1', 'id 2', 'id 3', 'id 3']), 4);
  assert.equal(await gallery.search(blockVector(0), { top: 3 }), [[]]);
  await gallery.close();
});

test.run();

/** PGlite in the browser, through the package's browser build, gives the same answers as in Node. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openDatabaseGallery } from '../../src/search/postgres/database.ts';
import { outputOf } from './chromium.ts';

/** The queries for both. The page receives the function's source, so it must be self-contained. */
async function answersOf(open: typeof openDatabaseGallery): Promise<unknown> {
  const gallery = await open('pglite:memory://', { sha256: 'a'.repeat(64), stage: 'rdl', dimension: 16 });
  const vectorOf = (seed: number): Float32Array => {
    const values = Array.from({ length: 16 }, (_, i) => ((seed * 7919 + i * 104729) % 211) - 105);
    const length = Math.hypot(...values);
    return Float32Array.from(values, (value) => value / length);
  };
  const entries = Array.from({ length: 200 }, (_, i) => ({
    id: `${i}'\u{1F600}`,
    modality: i % 3 ? ('image' as const) : ('points' as const),
    vector: vectorOf(i),
    metadata: { category: i % 4 ? 'chair' : null, faces: i / 8, 'a"b': i % 2 === 0 },
  }));
  await gallery.upsert(entries);
  await gallery.remove([entries[5].id]);
  const where = {
    kind: 'and' as const,
    parts: [
      { kind: 'compare' as const, field: 'category', operator: '=' as const, value: 'chair' },
      { kind: 'in' as const, field: 'a"b', values: [true] },
      { kind: 'compare' as const, field: 'faces', operator: '>' as const, value: 3.5 },
    ],
  };
  const exact = await gallery.search(Float32Array.from([...vectorOf(500), ...vectorOf(501)]), { top: 10, where });
  await gallery.buildIndex();
  const approximate = await gallery.search(vectorOf(502), { top: 10, efSearch: 400 });
  const { images, points } = await gallery.info();
  const folder = await open('pglite:folder', null).catch((error) => error.code);
  const server = await open('postgres://a@127.0.0.1:1/a', null).catch((error) => error.code);
  await gallery.close();
  return { exact, approximate, images, points, refused: [folder, server] };
}

const test = suite('galleries in a page');
const folder = mkdtempSync(join(tmpdir(), 'romo-pglite-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('the same answers as in Node', async () => {
  const map: Record<string, string> = {};
  for (const name of ['@electric-sql/pglite', '@electric-sql/pglite-pgvector']) {
    const isServed = (path: string) => !/\.(map|cjs|cts)$/.test(path);
    cpSync(join('node_modules', name, 'dist'), join(folder, name), { recursive: true, filter: isServed });
    map[name] = `./${name}/index.js`;
  }
  cpSync(join('dist', 'browser'), join(folder, 'romo'), { recursive: true });
  writeFileSync(
    join(folder, 'index.html'),
    `<!doctype html><meta charset="utf-8"><title>PGlite</title><link rel="icon" href="data:,"><output></output>
    <script type="importmap">${JSON.stringify({ imports: map })}</script>
    <script type="module">
      import { openDatabaseGallery } from './romo/search/postgres/database.js';
      const answersOf = ${answersOf};
      document.querySelector('output').textContent = JSON.stringify(
        await answersOf(openDatabaseGallery).catch((error) => ({ refused: String(error) })),
      );
    </script>`,
  );
  const inPage = await outputOf(folder, 'refused');
  assert.equal(inPage.refused, ['option', 'option']);
  assert.is(inPage.exact[1].length, 10);
  const inNode = (await answersOf(openForNode)) as typeof inPage;
  assert.equal({ ...inPage, refused: null }, { ...inNode, refused: null });
});

/** Only a page refuses folders and servers, so skip these in Node. */
const openForNode: typeof openDatabaseGallery = (to, model) =>
  to === 'pglite:memory://' ? openDatabaseGallery(to, model) : Promise.reject({ code: 'not asked' });

test.run();

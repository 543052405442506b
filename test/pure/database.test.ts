/** Galleries in a Postgres server and in PGlite: one contract, checked against a float64 reference and a predicate. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { matches, orderOfTexts } from '../../src/search/filter.ts';
import type { Answer, Entry, Filter, Metadata, Modality } from '../../src/search/gallery.ts';
import { type DatabaseGallery, openDatabaseGallery } from '../../src/search/postgres/database.ts';
import { connectPglite } from '../../src/search/postgres/pglite.ts';
import { connectPostgres } from '../../src/search/postgres/postgres.node.ts';
import { startServer } from '../../tools/postgres_server.ts';
import { blockVector, checkSources, fails, STAMP } from '../support/gallery.ts';

const folder = mkdtempSync(join(tmpdir(), 'romo-database-'));
const server = await startServer();
const D = STAMP.dimension;
const places = [
  { name: 'server', to: `${server.url}/postgres` },
  { name: 'embedded', to: `pglite:${join(folder, 'embedded')}` },
];

/** Texts that would do harm as part of an SQL statement, and texts whose order depends on the collation. */
const NASTY = [
  "'; drop schema romo_gallery cascade; --",
  '"); delete from entries; --',
  '$1',
  '%I',
  '\\',
  "E'\\'",
  '{a,"b"}',
  'null',
  'B',
  'a',
  'ä',
  '\u{1F600}',
  '\uFFFD',
  '',
];
const text = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ unit: 'grapheme', maxLength: 6 }).filter((s) => !s.includes('\0')),
);
const value = fc.oneof(
  text,
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
);
const field = fc.constantFrom('category', 'faces', 'new', "it's", '"', '$2', 'a.b', '__proto__');
const metadata: fc.Arbitrary<Metadata> = fc
  .array(fc.tuple(field, fc.oneof(value, fc.constant(null))), { maxLength: 5 })
  .map((pairs) => Object.fromEntries(pairs));
const unit = fc
  .array(fc.integer({ min: -8, max: 8 }), { minLength: D, maxLength: D })
  .filter((v) => v.some((x) => x !== 0))
  .map((v) => Float32Array.from(v, (x) => x / Math.hypot(...v)));
const modality = fc.constantFrom<Modality>('image', 'points');
const entry: fc.Arbitrary<Entry> = fc.record({ id: text, modality, vector: unit, metadata });
const entries = fc.uniqueArray(entry, {
  minLength: 1,
  maxLength: 30,
  selector: ({ id, modality }) => `${modality} ${id}`,
});
const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({
      kind: fc.constant('compare' as const),
      field,
      operator: fc.constantFrom('=', '!=', '<', '<=', '>', '>='),
      value,
    }),
    fc.record({ kind: fc.constant('in' as const), field, values: fc.array(value, { maxLength: 4 }) }),
    fc.record({ kind: fc.constant('null' as const), field }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      parts: fc.array(tie('filter'), { maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('not' as const), part: tie('filter') }),
  ) as fc.Arbitrary<Filter>,
}));

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);
const keyOf = ({ id, modality }: { id: string; modality: Modality }): string => `${modality} ${id}`;

/** The answers are the best entries of the float64 reference, in order; similarities may differ by f32 rounding. */
function assertBest(answers: readonly Answer[], stored: readonly Entry[], query: Float32Array, top: number): void {
  const exact = new Map(stored.map((e) => [keyOf(e), dot(e.vector, query)]));
  const best = [...exact.values()].sort((a, b) => b - a).slice(0, top);
  assert.is(answers.length, best.length);
  assert.is(new Set(answers.map(keyOf)).size, answers.length);
  answers.forEach((answer, i) => {
    const similarity = exact.get(keyOf(answer));
    assert.ok(similarity !== undefined && Math.abs(similarity - best[i]) < 1e-6, `${similarity}, not ${best[i]}`);
    assert.ok(Math.abs(answer.similarity - best[i]) < 1e-6, `${answer.similarity}, not ${best[i]}`);
    const before = answers[i - 1];
    if (!before) return;
    const order = orderOfTexts(before.id, answer.id) || orderOfTexts(before.modality, answer.modality);
    assert.ok(before.similarity > answer.similarity || (before.similarity === answer.similarity && order < 0));
  });
}

const emptied = async (gallery: DatabaseGallery, ids: Iterable<string>): Promise<void> => {
  await gallery.remove([...ids]);
  const { images, points } = await gallery.info();
  assert.is(images + points, 0);
};

const connect = (to: string) =>
  to.startsWith('pglite:') ? connectPglite(to.slice('pglite:'.length)) : connectPostgres(new URL(to));

for (const { name, to } of places) {
  const test = suite(`gallery, ${name}`);
  let gallery: DatabaseGallery;
  test.before(async () => {
    gallery = await openDatabaseGallery(to, STAMP);
  });
  test.after(() => gallery.close());

  test('what was upserted is found, replaced, told present, removed', async () => {
    await fc.assert(
      fc.asyncProperty(
        entries,
        entries,
        fc.array(unit, { minLength: 1, maxLength: 3 }),
        async (first, second, queries) => {
          await gallery.upsert(first);
          await gallery.upsert(second);
          const stored = [...new Map([...first, ...second].map((e) => [keyOf(e), e])).values()];
          const found = await gallery.search(Float32Array.from(queries.flatMap((q) => [...q])), { top: 7 });
          found.forEach((answers, i) => {
            assertBest(answers, stored, queries[i], 7);
            for (const answer of answers) {
              assert.equal(answer.metadata, clean(stored.find((e) => keyOf(e) === keyOf(answer))?.metadata));
            }
          });
          const ids = new Set(stored.map(({ id }) => id));
          const images = new Set(stored.filter((e) => e.modality === 'image').map(({ id }) => id));
          assert.equal([...(await gallery.present([...ids, 'nobody'], 'image')).keys()].sort(), [...images].sort());
          const info = await gallery.info();
          assert.equal([info.images, info.points], [images.size, stored.length - images.size]);
          const gone = [...ids].slice(0, 3);
          const expected = stored.filter(({ id }) => gone.includes(id)).length;
          assert.is(await gallery.remove([...gone, 'nobody']), expected);
          const rest = stored.filter(({ id }) => !gone.includes(id));
          if (rest.length > 0) assertBest((await gallery.search(queries[0], { top: 100 }))[0], rest, queries[0], 100);
          await emptied(gallery, ids);
        },
      ),
      { numRuns: 15 },
    );
  });

  test('a filter finds what the predicate is true of', async () => {
    await fc.assert(
      fc.asyncProperty(
        entries,
        fc.array(filter, { minLength: 8, maxLength: 8 }),
        unit,
        async (stored, filters, query) => {
          await gallery.upsert(stored);
          for (const where of filters) {
            const [answers] = await gallery.search(query, { top: 100, where, modality: 'image' });
            const expected = stored.filter((e) => e.modality === 'image' && matches(where, e.metadata));
            assert.equal(answers.map(keyOf).sort(), expected.map(keyOf).sort(), JSON.stringify(where));
          }
          await emptied(gallery, new Set(stored.map(({ id }) => id)));
        },
      ),
      { numRuns: 15 },
    );
  });

  test('collections with the same ids are apart, and hashes tell what has changed', async () => {
    await checkSources(gallery);
  });

  test('a gallery of an older version gets its columns, and keeps its entries', async () => {
    const place = to.startsWith('pglite:') ? `pglite:${join(folder, 'old')}` : to; // one process may open a folder once
    const old = `${place}?schema=old`;
    await (await openDatabaseGallery(old, STAMP)).close();
    const connection = await connect(place);
    await connection.transaction(async (query) => {
      await query('alter table old.entries drop constraint entries_pkey');
      await query('alter table old.entries drop column source, drop column hash, add primary key (id, modality)');
      const row = `'a', 'image', '[${[...blockVector(1)]}]', '{"n": 1}'`;
      await query(`insert into old.entries (id, modality, vector, metadata) values (${row})`);
    });
    await connection.close();
    const again = await openDatabaseGallery(old, null);
    const [[answer]] = await again.search(blockVector(1), { top: 1 });
    assert.equal(
      { ...answer, similarity: 1 },
      { id: 'a', modality: 'image', source: '', metadata: { n: 1 }, similarity: 1 },
    );
    assert.equal([...(await again.present(['a'], 'image'))], [['a', '']]);
    await again.upsert([{ id: 'a', modality: 'image', source: 'folder:a', vector: blockVector(2), metadata: {} }]);
    assert.is((await again.info()).images, 2);
    await again.close();
  });

  test('equal similarities come in the order of code points', async () => {
    const vector = new Float32Array(D).fill(1 / Math.sqrt(D));
    const ids = [...new Set(NASTY)];
    await gallery.upsert(ids.map((id) => ({ id, modality: 'points', vector, metadata: {} })));
    const [answers] = await gallery.search(vector, { top: 100 });
    assert.equal(
      answers.map(({ id }) => id),
      ids.sort(orderOfTexts),
    );
    await emptied(gallery, ids);
  });

  test.run();
}

const prepared = suite('gallery, preparation');

prepared('it stores how objects were prepared; tables of earlier versions do not say so', async () => {
  const to = `${server.url}/postgres`;
  const stamp = { ...STAMP, preparation: { background: 0, up: 'z' } };
  const first = await openDatabaseGallery(`${to}?schema=prepared`, stamp);
  assert.equal(first.model, stamp);
  await first.close();
  const other = { ...STAMP, preparation: { background: 1, up: 'z' } };
  await fails(openDatabaseGallery(`${to}?schema=prepared`, other), 'gallery', /prepared with background 0, not 1/);
  const connection = await connectPostgres(new URL(to));
  await connection.transaction((query) => query('alter table prepared.model drop column preparation'));
  await connection.close();
  await fails(openDatabaseGallery(`${to}?schema=prepared`, stamp), 'gallery', /does not say how it was prepared/);
  const read = await openDatabaseGallery(`${to}?schema=prepared`, null);
  assert.equal(read.model, STAMP);
  await read.close();
});
prepared.run();

/** -0 is 0 in JSON. */
const clean = (metadata: Metadata | undefined): unknown => JSON.parse(JSON.stringify(metadata));

const end = suite('gallery, the end');
end('the server stops', async () => {
  await server.remove();
  rmSync(folder, { recursive: true, force: true });
});
end.run();

/** Entries for the tests of galleries. */
import * as assert from 'uvu/assert';
import type { Entry, Gallery, ModelStamp } from '../../src/search/gallery.ts';
import { RomoError } from '../../src/tensor/error.ts';
import { hashUniform } from './fixture.ts';

export const STAMP: ModelStamp = { sha256: 'a'.repeat(64), stage: 'rdl', dimension: 16 };

/** A unit vector [16] of four numbers, each 0.5 or -0.5: products are exact in f32 and ties are frequent. */
export function blockVector(seed: number): Float32Array {
  const vector = new Float32Array(16);
  const draws = hashUniform(`vector ${seed}`, 8);
  for (let i = 0; i < 4; i++) {
    const place = 4 * i + (Math.floor(2 * (draws[i] + 1)) % 4);
    vector[place] = draws[4 + i] < 0 ? -0.5 : 0.5;
  }
  return vector;
}

/** Asserts that `work` fails with this code and a message that matches. */
export async function fails(work: Promise<unknown>, code: string, ...says: RegExp[]): Promise<void> {
  const error = await work.then(
    () => null,
    (cause) => cause,
  );
  assert.instance(error, RomoError, String(error));
  assert.is(error.code, code, error.message);
  assert.ok(error.fix.length > 0, `${error.message}: no way out`);
  for (const pattern of says) assert.match(error.message, pattern);
}

/** Two collections with the same ids stay apart in an empty gallery, which is empty again afterwards. */
export async function checkSources(gallery: Gallery): Promise<void> {
  const entry = (source: string, id: string, seed: number): Entry[] =>
    (['image', 'points'] as const).map((modality) => ({
      id,
      modality,
      source,
      hash: `hash ${seed}`,
      vector: blockVector(seed),
      metadata: { seed },
    }));
  const [a, b] = ["folder:/a's", 'folder:/b'];
  await gallery.upsert([...entry(a, 'o0', 1), ...entry(b, 'o0', 2), ...entry('', 'o0', 3), ...entry(b, 'o1', 4)]);
  const counts = { images: 1, points: 1 };
  const sources = [
    { source: '', ...counts },
    { source: a, ...counts },
    { source: b, images: 2, points: 2 },
  ];
  const info = await gallery.info();
  assert.equal([info.images, info.points, info.sources], [4, 4, sources]);
  assert.equal([...(await gallery.present(['o0', 'o1'], 'points', a))], [['o0', 'hash 1']]);
  assert.equal((await gallery.ids(b)).sort(), ['o0', 'o1']);
  assert.equal(await gallery.ids('folder:/c'), []);
  await gallery.upsert(entry(b, 'o0', 5));
  assert.equal([...(await gallery.present(['o0'], 'image', b))], [['o0', 'hash 5']]);
  assert.equal([...(await gallery.present(['o0'], 'image', a))], [['o0', 'hash 1']]);
  assert.is(await gallery.remove(['o0'], b), 2);
  assert.equal([...(await gallery.present(['o0'], 'image'))], [['o0', 'hash 3']]);
  for (const source of ['', a, b]) await gallery.remove(['o0', 'o1'], source);
  assert.equal((await gallery.info()).sources, []);
}

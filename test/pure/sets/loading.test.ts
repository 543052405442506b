/** Loading: caching, the same bits in threads, errors from threads, the cache of rendered views. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fromSent, toSent } from '../../../src/data/loading/protocol.ts';
import { Store } from '../../../src/data/loading/store.ts';
import { defaultCacheFolder } from '../../../src/data/sets/rendered_cache.ts';
import type { CheckedData, DataOptions, Showing } from '../../../src/data/types.ts';
import { RomoError } from '../../../src/tensor/error.ts';
import { refusalOf, setPath, withFolder, withSet } from '../../support/sets.ts';

const test = suite('loading');

test('what was used last is kept, up to a number of bytes', () => {
  const store = new Store<string>(100);
  store.set('a', 'A', 40);
  store.set('b', 'B', 40);
  assert.is(store.get('a'), 'A');
  store.set('c', 'C', 40); // b is the least recently used
  assert.equal([store.get('a'), store.get('b'), store.get('c')], ['A', undefined, 'C']);
  store.set('a', 'A2', 90);
  assert.equal([store.get('a'), store.get('c'), store.bytes], ['A2', undefined, 90]);
  store.set('huge', 'H', 101); // larger than the limit: empties the cache and is not kept
  assert.equal([store.get('huge'), store.bytes], [undefined, 0]);
});

/** Every object of both splits, plain and augmented. */
async function bitsOf({ train, test: held }: CheckedData): Promise<string> {
  const rotation = { axis: 2, maxDegrees: 180 } as const;
  const showing: Showing = { seed: 3, stage: 'ssm', epoch: 4, strength: 'strong', mirror: true, rotation, points: 32 };
  const parts: string[] = [];
  for (const { pairs } of [train, held]) {
    const indices = Array.from({ length: pairs.length }, (_, i) => i).reverse();
    for (const samples of [await pairs.load(indices), (await pairs.show?.(indices, showing)) ?? []]) {
      assert.is(samples.length, indices.length);
      for (const { image, cloud } of samples) parts.push(Buffer.from(image.buffer).toString('hex'), `${cloud}`);
    }
  }
  return parts.join('\n');
}

for (const [spec, options] of [
  [`mnist3d:${setPath('mnist_hdf5')}`, {}],
  [`mnist3d:${setPath('mnist_lists')}`, {}],
  [`modelnet:${setPath('modelnet')}`, { views: 2 }],
  [`voxels:${setPath('voxels')}`, { onBad: 'skip' }],
  [`folder:${setPath('folder')}`, {}],
] as const satisfies [string, Partial<DataOptions>][]) {
  test(`threads give the same bits: ${spec}`, async () => {
    const alone = await withSet(spec, options, bitsOf);
    const together = await withSet(spec, { ...options, workers: 2 }, bitsOf);
    assert.ok(alone === together);
    assert.not.ok(alone === (await withSet(spec, { ...options, seed: 2 }, bitsOf)), 'the seed counts');
  });
}

test('an error in a thread is the same error here, and after closing nothing is loaded', async () => {
  const files = { 'a.png': '=test/files/rgb.png', 'a.off': 'OFF 1', 'b.png': '=test/files/rgb.png', 'b.off': 'OFF 2' };
  await withFolder(files, async (folder) => {
    const [alone, threaded] = [
      await refusalOf(`folder:${folder}`, { train: 1, test: 1 }),
      await refusalOf(`folder:${folder}`, { train: 1, test: 1, workers: 2 }),
    ];
    assert.equal([threaded.code, threaded.message, threaded.fix], [alone.code, alone.message, alone.fix]);
  });
  const closed = await withSet(`folder:${setPath('folder')}`, { workers: 1 }, async (data) => data);
  try {
    await closed.train.pairs.load([0]);
    assert.unreachable('loaded after closing');
  } catch (error) {
    assert.is((error as RomoError).code, 'worker');
    assert.match((error as RomoError).message, /--workers 0/);
  }
});

test('errors cross threads with code, message and fix; others keep their stack', () => {
  const error = new RomoError('file', 'x.off: is empty', 'Copy it again');
  const back = fromSent(structuredClone(toSent(error))) as RomoError;
  assert.instance(back, RomoError);
  assert.equal([back.code, back.message, back.fix], [error.code, error.message, error.fix]);
  const fault = new TypeError('a fault of the program');
  const other = fromSent(structuredClone(toSent(fault)));
  assert.equal([other.message, other.stack], [fault.message, fault.stack]);
});

test('rendered views are kept on disk, by content and options; a damaged file is made again', async () => {
  const cacheFolder = mkdtempSync(join(tmpdir(), 'romo-cache-'));
  const spec = `modelnet:${setPath('modelnet')}`;
  const files = () =>
    readdirSync(cacheFolder, { recursive: true })
      .map(String)
      .filter((name) => /\.\w+$/.test(name));
  try {
    const without = await withSet(spec, { views: 2 }, bitsOf);
    const cold = await withSet(spec, { views: 2, cacheFolder, workers: 2 }, bitsOf);
    assert.is(files().length, 2 * 10, files().join(' '));
    assert.ok(files().every((name) => !name.endsWith('.part')));
    const warm = await withSet(spec, { views: 2, cacheFolder }, bitsOf);
    assert.ok(without === cold && cold === warm);
    const picture = join(cacheFolder, files().find((name) => name.endsWith('.png')) as string);
    const bytes = readFileSync(picture);
    writeFileSync(picture, bytes.subarray(0, 50));
    assert.ok(without === (await withSet(spec, { views: 2, cacheFolder }, bitsOf)), 'a damaged picture is not used');
    assert.ok(readFileSync(picture).equals(bytes));
    await withSet(spec, { views: 1, cacheFolder }, bitsOf);
    assert.is(files().length, 4 * 10, 'other options, other files');
  } finally {
    rmSync(cacheFolder, { recursive: true });
  }
});

test('a cache that cannot be written is said once, and the objects are good', async () => {
  const spec = `modelnet:${setPath('modelnet')}`;
  const plain = await withSet(spec, {}, bitsOf);
  await withSet(spec, { cacheFolder: '/proc/none' }, async (data) => {
    assert.match(data.found.notes.join(), /no cache, cannot write to \/proc\/none: .*--cache-dir/);
    assert.equal(data.skipped, []);
    assert.ok(plain === (await bitsOf(data)));
  });
  assert.not.ok(existsSync('/proc/none'));
  await withSet(`folder:${setPath('folder')}`, { cacheFolder: '/proc/none' }, async ({ found }) => {
    assert.not.match(found.notes.join(), /cache/, 'pictures of one file are not cached');
  });
  // The disk fills up later: files in place of the cache's folders.
  const blocked = Array.from({ length: 256 }, (_, i) => [i.toString(16).padStart(2, '0'), '']);
  await withFolder(Object.fromEntries(blocked), async (cacheFolder) => {
    const warnings: string[] = [];
    const listen = ({ message }: Error) => warnings.push(message);
    process.on('warning', listen);
    await withSet(spec, { cacheFolder }, async (data) => assert.ok(plain === (await bitsOf(data))));
    await new Promise(setImmediate); // warnings are emitted in a later tick
    process.off('warning', listen);
    assert.is(warnings.filter((text) => text.includes(`cannot write to ${cacheFolder}`)).length, 1, warnings.join());
  });
});

test('the default cache folder exists for a user without a home, too', () => {
  const { HOME, XDG_CACHE_HOME } = process.env;
  process.env.XDG_CACHE_HOME = '';
  process.env.HOME = '/home/someone';
  assert.is(defaultCacheFolder(), '/home/someone/.cache/romo/rendered');
  try {
    delete process.env.HOME;
    if (process.getuid?.() === 0) process.seteuid?.(123_456_789);
    if (process.getuid?.() === 0) assert.match(defaultCacheFolder(), /romo\/rendered$/);
  } finally {
    if (process.getuid?.() === 0) process.seteuid?.(0);
    Object.assign(process.env, { HOME, XDG_CACHE_HOME: XDG_CACHE_HOME ?? '' });
  }
});

test.run();

/**
 * Bad data: by default an error that names file and reason; with `skip` the rest is used and bad objects are listed.
 */
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TooFewObjects } from '../../../src/data/sets/found.ts';
import type { DataOptions } from '../../../src/data/types.ts';
import { refusalOf, setPath, withFolder, withSet } from '../../support/sets.ts';

const test = suite('bad data');

const points = (count: number, change: (i: number) => string = (i) => `${i / 7} ${(i * i) % 5} ${i % 3}`) =>
  Array.from({ length: count }, (_, i) => change(i)).join('\n');

/** Good pairs, which must stay usable next to a bad one. */
const GOOD = {
  'a.png': '=test/files/rgb.png',
  'a.xyz': points(50),
  'b.jpg': '=test/files/rgb.jpg',
  'b.off': '=test/files/plain.off',
  'c.webp': '=test/files/rgb.webp',
  'c.xyz': points(60),
};
const PICTURE = '=test/files/rgb.png';

/** A picture of one colour. */
function blank(width: number, height: number, background: string, format: 'png' | 'jpeg' | 'webp' = 'png') {
  const channels = format === 'jpeg' ? 3 : 4;
  return sharp({ create: { width, height, channels, background } }).toFormat(format).toBuffer();
}

type Files = Record<string, string | Uint8Array>;
const CASES: readonly [name: string, files: Files, pattern: RegExp, options?: Partial<DataOptions>][] = [
  ['a truncated mesh', { 'x.png': PICTURE, 'x.off': 'OFF\n3 1 0\n0 0 0\n1 0 0\n' }, /x\.off/],
  ['an empty cloud', { 'x.png': PICTURE, 'x.xyz': '' }, /x\.xyz: is empty/],
  ['a picture that is text', { 'x.png': 'no picture', 'x.xyz': points(50) }, /x\.png: is not a PNG/],
  ['an empty picture', { 'x.png': new Uint8Array(0), 'x.xyz': points(50) }, /x\.png: is empty/],
  [
    'a truncated picture',
    { 'x.jpg': readFileSync('test/files/rgb.jpg').subarray(0, 400), 'x.xyz': points(50) },
    /x\.jpg: cannot be decoded/,
  ],
  ['a cloud of another kind', { 'x.png': PICTURE, 'x.ply': points(50) }, /x\.ply/],
  [
    'only holes',
    { 'x.png': PICTURE, 'x.xyz': points(50, (i) => (i % 2 ? 'nan 0 0' : '0 0 0')) },
    /x\.xyz: all .* holes/,
  ],
  ['three points', { 'x.png': PICTURE, 'x.xyz': points(3) }, /x\.xyz: has 3 points, fewer than 4/],
  ['a white picture', { 'x.png': await blank(16, 16, '#fff'), 'x.xyz': points(50) }, /x\.png: shows nothing/],
  [
    'a black picture, not square',
    { 'x.png': await blank(90, 20, '#000'), 'x.xyz': points(50) },
    /x\.png: shows nothing/,
  ],
  [
    'a grey JPEG, upright',
    { 'x.jpg': await blank(7, 300, '#777', 'jpeg'), 'x.xyz': points(50) },
    /x\.jpg: shows nothing/,
  ],
  [
    'a transparent picture',
    { 'x.webp': await blank(20, 20, '#12345600', 'webp'), 'x.xyz': points(50) },
    /x\.webp: shows nothing/,
  ],
  ['infinity', { 'x.png': PICTURE, 'x.xyz': points(50, (i) => (i === 7 ? '1e99 0 0' : `${i} 0 1`)) }, /x\.xyz.*finite/],
  [
    'fewer points than neighbours',
    { 'x.png': PICTURE, 'x.xyz': points(12) },
    /x\.xyz: has 12 points, fewer than 20.*--k-ssm/,
    { leastPoints: 20 },
  ],
  [
    'points in one place',
    { 'x.png': PICTURE, 'x.xyz': points(50, () => '3 4 5') },
    /x\.xyz: its 50 points all coincide/,
  ],
  [
    'a mesh without area',
    { 'x.png': PICTURE, 'x.off': 'OFF\n3 1 0\n0 0 0\n1 1 1\n2 2 2\n3 0 1 2\n' },
    /x\.off: the area of its 1 triangles is zero/,
  ],
  ['a single pixel', { 'x.png': '=test/files/one_pixel.png', 'x.xyz': points(50) }, /x\.png: has 1 x 1 pixels/],
  ['a picture of billions of pixels', { 'x.png': '=test/files/bomb.png', 'x.xyz': points(50) }, /x\.png/],
  [
    'two pictures of one name',
    { 'x.png': PICTURE, 'x.jpg': PICTURE, 'x.xyz': points(50) },
    /x\.png and x\.jpg are both/,
  ],
  ['a picture without a cloud', { 'x.png': PICTURE }, /x\.png has no partner: no 3D file/],
  ['a cloud without a picture', { 'x.xyz': points(50) }, /x\.xyz has no partner: no picture \(\.png, \.jpg/],
];

for (const [name, files, pattern, options = {}] of CASES) {
  test(name, () =>
    withFolder({ ...GOOD, ...files }, async (folder) => {
      const error = await refusalOf(`folder:${folder}`, options);
      assert.match(error.message, pattern);
      assert.match(error.message, /[^.]\. Or skip such objects with --on-bad skip/);
      assert.match(error.code, /^(data|file)$/);
      await withSet(`folder:${folder}`, { ...options, onBad: 'skip' }, async ({ train, test: held, skipped }) => {
        assert.is(skipped.length, 1);
        assert.match(skipped[0].reason, pattern);
        const ids = [train, held].flatMap(({ pairs }) => Array.from({ length: pairs.length }, (_, i) => pairs.id(i)));
        assert.ok(['a', 'b', 'c'].every((id) => ids.includes(id)));
        await train.pairs.load([0]);
      });
    }),
  );
}

test('pictures of every depth and colour space are good, in grey and in colour', async () => {
  const kinds = [
    'sixteen.png',
    'sixteen_alpha.png',
    'grey.png',
    'one_bit.png',
    'palette.png',
    'alpha.png',
    'cmyk.jpg',
    'exif.jpg',
  ];
  const files: Files = {};
  for (const [i, kind] of kinds.entries()) {
    files[`${i}.${kind.slice(-3)}`] = `=test/files/${kind}`;
    files[`${i}.xyz`] = points(50);
  }
  await withFolder(files, async (folder) => {
    for (const channels of [1, 3] as const) {
      await withSet(`folder:${folder}`, { channels }, async ({ train, test: held }) => {
        assert.is(train.pairs.length + held.pairs.length, kinds.length);
        assert.is(train.pairs.imageShape[2], channels);
        for (const { pairs } of [train, held]) {
          for (const { image } of await pairs.load(Array.from({ length: pairs.length }, (_, i) => i))) {
            assert.is(image.length, 16 * 16 * channels);
            assert.ok(image.every((value) => value >= 0 && value <= 1) && new Set(image).size > 1);
          }
        }
      });
    }
    const turned = await withSet(`folder:${folder}`, {}, async ({ train, test: held }) =>
      [...train.origins, ...held.origins].map(({ width, height }) => `${width} x ${height}`),
    );
    assert.ok(turned.includes('40 x 20'), 'upright by its EXIF tag');
  });
});

test('all bad, or too few left: an error with --on-bad skip as well', () =>
  withFolder({ 'x.png': 'text', 'x.xyz': points(50), 'y.png': PICTURE, 'y.xyz': points(50) }, async (folder) => {
    const error = await refusalOf(`folder:${folder}`, { onBad: 'skip' });
    assert.match(error.message, /there are no training objects; the bad object: .*x\.png: is not a PNG/);
    assert.not.match(error.message, /100|--train|--test/, 'a number that nobody asked for');
    const asked = await refusalOf(`folder:${folder}`, { onBad: 'skip', fewerWillDo: { train: false, test: true } });
    assert.match(asked.message, /100 training objects are requested, but there are 0/);
  }));

test('all bad: the error has the first reason and carries the list', () =>
  withFolder({ 'x.png': PICTURE, 'x.off': 'OFF 1', 'y.png': 'text', 'y.xyz': points(50) }, async (folder) => {
    const error = await refusalOf(`folder:${folder}`, { onBad: 'skip' });
    assert.instance(error, TooFewObjects);
    assert.match(error.message, /there are no test objects; the first of 2 bad objects: .*\/(x\.off|y\.png): /);
    assert.is((error as TooFewObjects).skipped.length, 2);
  }));

const LISTS = setPath('mnist_lists');
const lines = (name: string) => readFileSync(`${LISTS}/${name}`, 'utf8');
const IMAGES = 'mnist3d_RGBImgs_train_list.txt';
const CLOUDS = 'mnist3d_PointCloud_train_list.txt';
for (const [name, list, change, pattern] of [
  [
    'an object in one list only',
    CLOUDS,
    (text: string) => text.replace(/.*000003.*\n/, ''),
    /000003\.png has no partner/,
  ],
  ['an object twice', IMAGES, (text: string) => `${text}${text.split('\n')[1]}\n`, /line 7 names object 000002 again/],
  [
    'another label',
    IMAGES,
    (text: string) => text.replace('000002.png 1', '000002.png 2'),
    /labels of object 000002 differ/,
  ],
  [
    'a missing file',
    IMAGES,
    (text: string) => text.replace('0_RGBImg_train_000004', '0_RGBImg_train_900004'),
    /900004.*does not exist/,
  ],
  [
    'a path that leads out',
    CLOUDS,
    (text: string) => text.replace(/\.\/dataset\/.*000001/, '../../x_000001'),
    /leads out of/,
  ],
  ['a line of another kind', IMAGES, (text: string) => `${text}nonsense\n`, /line 7 is not a path and a label/],
] as const) {
  test(`list files: ${name}`, () =>
    withFolder({ '.': `=${LISTS}`, [list]: change(lines(list)) }, async (folder) => {
      assert.match((await refusalOf(`mnist3d:${folder}`)).message, pattern);
      await withSet(`mnist3d:${folder}`, { onBad: 'skip' }, async ({ train, skipped }) => {
        assert.ok(train.pairs.length >= 5 && skipped.some(({ reason }) => pattern.test(reason)));
      });
    }));
}

test('list files: UTF-16 with every line end, as Windows programs write it', () => {
  const text = `\ufeff${lines(IMAGES).replaceAll('\n', '\r\n')}`;
  return withFolder({ '.': `=${LISTS}`, [IMAGES]: Buffer.from(text, 'utf16le') }, (folder) =>
    withSet(`mnist3d:${folder}`, {}, async ({ train }) => assert.is(train.pairs.length, 6)),
  );
});

test('list files: paths of Windows, inside the folder only', () =>
  withFolder({ '.': `=${LISTS}`, [IMAGES]: lines(IMAGES).replaceAll('/', '\\') }, (folder) =>
    withSet(`mnist3d:${folder}`, {}, async ({ train }) => assert.is(train.pairs.length, 6)),
  ));

test('rgbd: a picture without cloud or mask', () =>
  withFolder({ '.': `=${setPath('rgbd')}` }, async (folder) => {
    const { rmSync } = await import('node:fs');
    rmSync(`${folder}/pcd/apple/apple_2/apple_2_1_6.pcd`);
    rmSync(`${folder}/eval/apple/apple_2/apple_2_1_1_maskcrop.png`);
    assert.match((await refusalOf(`rgbd:${folder}`)).message, /apple_2_1_1_crop.png has no partner.*and 1 more/);
    await withSet(`rgbd:${folder}`, { onBad: 'skip' }, async ({ train, skipped }) => {
      assert.is(train.pairs.length, 10);
      assert.is(skipped.length, 2);
    });
  }));

for (const [spec, pattern] of [
  ['modelnet:test/sets/folder', /has no CLASS\/train\/NAME\.off/],
  ['rgbd:test/sets/folder', /has no CLASS_1_1_1_crop\.png/],
  ['folder:test/sets/voxels', /has no pairs such as/],
  ['voxels:test/files/arrays.npz', /arrays\.npz: y_train .* is not one whole number/],
  ['voxels:test/sets/folder', /has 0 \.npz files/],
  ['voxels:no/such.npz', /no\/such\.npz: cannot be read/],
  ['folder:no/such', /cannot read the folder no\/such/],
  ['folder:', /lacks a folder/],
] as const) {
  test(spec, async () => assert.match((await refusalOf(spec)).message, pattern));
}

test.run();

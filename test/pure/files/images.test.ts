/** Pictures of every kind, written by Pillow: all show the same four colour fields. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readMaskedImage } from '../../../src/files/image.ts';
import { fileBytes, filePath, fitted, readFitted, rejects } from '../../support/files.ts';

const test = suite('images');

const SIZE = 40;
// The picture is 40 x 20: top left white, bottom left red, right blue. Fitted into 40 x 40, it fills rows 10 to 29.
const PLACES = { above: [5, 5], topLeft: [5, 13], topRight: [35, 13], bottomLeft: [5, 26], bottomRight: [35, 26] };
type Place = keyof typeof PLACES;
const [WHITE, RED, BLUE] = [
  [1, 1, 1],
  [1, 0, 0],
  [0, 0, 1],
];

function near(image: Float32Array, place: Place, expected: readonly number[], tolerance: number): void {
  const [x, y] = PLACES[place];
  const channels = expected.length;
  const got = Array.from(image.subarray((y * SIZE + x) * channels, (y * SIZE + x + 1) * channels));
  const fits = got.every((value, i) => Math.abs(value - expected[i]) <= tolerance);
  assert.ok(fits, `${place}: ${got}, expected ${expected}`);
}

for (const [name, tolerance] of [
  ['rgb.png', 0],
  ['palette.png', 0],
  ['rgb.webp', 0],
  ['rgb.jpg', 0.02],
  ['exif.jpg', 0.02],
  ['cmyk.jpg', 0.55], // converted from printing inks, so the colours are less exact
] as const) {
  test(`${name}: colours, upright, on white`, async () => {
    const image = await readFitted(filePath(name), { size: SIZE, channels: 3 });
    assert.is(image.length, SIZE * SIZE * 3);
    near(image, 'above', WHITE, 0);
    near(image, 'topLeft', WHITE, 0.02);
    near(image, 'bottomLeft', RED, tolerance);
    near(image, 'topRight', BLUE, tolerance);
    near(image, 'bottomRight', BLUE, tolerance);
  });
}

test('luma: of colours, and of grey as it is', async () => {
  for (const name of ['rgb.png', 'grey.png']) {
    const image = await readFitted(filePath(name), { size: SIZE, channels: 1 });
    assert.is(image.length, SIZE * SIZE);
    near(image, 'topLeft', [1], 1e-6);
    near(image, 'bottomLeft', [0.299], 0.002);
    near(image, 'topRight', [0.114], 0.001);
  }
  const bits = await readFitted(filePath('one_bit.png'), { size: SIZE, channels: 1 });
  near(bits, 'topLeft', [1], 0);
  near(bits, 'topRight', [0], 0);
});

test('transparency shows the background', async () => {
  const white = await readFitted(filePath('alpha.png'), { size: SIZE, channels: 3 });
  near(white, 'bottomLeft', WHITE, 0);
  near(white, 'topRight', [0.5, 0.5, 1], 0.005);
  const black = await readFitted(filePath('alpha.png'), { size: SIZE, channels: 3, background: 0 });
  near(black, 'above', [0, 0, 0], 0);
  near(black, 'bottomLeft', [0, 0, 0], 0);
  near(black, 'topRight', [0, 0, 0.5], 0.005);
});

test('16 bits: the upper ones count; with transparency as well', async () => {
  const ramp = await readFitted(filePath('sixteen.png'), { size: 16, channels: 1 });
  assert.ok(ramp.every((value, i) => Math.abs(value - i / 255) < 1e-6));
  const half = await readFitted(filePath('sixteen_alpha.png'), { size: 2, channels: 1 });
  assert.equal(Array.from(half), [1, 0, 1, 0]);
});

test('a single pixel fills the picture', async () => {
  const image = await readFitted(filePath('one_pixel.png'), { size: 8, channels: 3 });
  for (let i = 0; i < image.length; i++) assert.is(image[i], i % 3 === 1 ? 1 : 0);
});

test('shrinking takes means', async () => {
  const image = await readFitted(filePath('rgb.png'), { size: 2, channels: 3 });
  assert.is(image.length, 12);
  assert.ok(image.every((value) => value >= 0 && value <= 1));
});

test('a mask takes the background away', async () => {
  const options = { size: SIZE, channels: 3, background: 0 } as const;
  const image = fitted(await readMaskedImage(filePath('rgb.png'), filePath('rgb_maskcrop.png'), 0), options);
  near(image, 'bottomLeft', [0, 0, 0], 0); // column 5; the mask keeps columns 10 to 29
  const row = Array.from(image.subarray(26 * SIZE * 3, 27 * SIZE * 3));
  assert.equal(row.slice(3 * 10, 3 * 10 + 3), RED);
  assert.equal(row.slice(3 * 29, 3 * 29 + 3), BLUE);
  assert.equal(row.slice(3 * 30, 3 * 30 + 3), [0, 0, 0]);
  await rejects(() => readMaskedImage(filePath('rgb.png'), filePath('sixteen.png')), /is 16 x 16, its picture/);
});

test('JPEG: faults in headers that cost no pixel are mended, damage is not', async () => {
  const options = { size: 40, channels: 3 } as const;
  const good = fileBytes('rgb.jpg');
  const expected = Array.from(await readFitted(filePath('rgb.jpg'), options));
  const folder = mkdtempSync(join(tmpdir(), 'romo-jpeg-'));
  const written = (bytes: Uint8Array) => {
    const path = join(folder, 'a.jpg');
    writeFileSync(path, bytes);
    return path;
  };
  const at = (...marker: number[]) => Buffer.from(good).indexOf(Buffer.from(marker));
  const scan = at(0xff, 0xda);
  const parameters = scan + 2 + good[scan + 3] - 3;
  const changed = (...changes: readonly (readonly [number, number])[]) => {
    const bytes = good.slice();
    for (const [place, value] of changes) bytes[place] = value;
    return bytes;
  };
  const tables = at(0xff, 0xdb);
  try {
    for (const bytes of [
      changed([parameters, 63], [parameters + 1, 0], [parameters + 2, 0x11]),
      changed([parameters + 1, 0]),
      changed([at(0x4a, 0x46, 0x49, 0x46) + 5, 9]), // version of JFIF
      Uint8Array.of(...good.subarray(0, tables), 1, 2, 3, ...good.subarray(tables)),
      Uint8Array.of(...good, 0, 0, 0),
    ]) {
      assert.equal(Array.from(await readFitted(written(bytes), options)), expected);
    }
    const damaged = changed([parameters, 63]);
    for (let i = 0; i < 6; i++) damaged[damaged.length - 200 + 7 * i] ^= 0x5a;
    await rejects(() => readFitted(written(damaged), options), /premature end of data segment/);
    for (const cut of [1, 2, 3, 100]) {
      await rejects(() => readFitted(written(good.subarray(0, good.length - cut)), options), /premature end/);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('what is not a picture, damaged or too large', async () => {
  const options = { size: 8, channels: 3 } as const;
  await rejects(() => readFitted(filePath('bomb.png'), options), /bomb\.png: .*pixel limit.*at most 67108864 pixels/);
  await rejects(() => readFitted(filePath('plain.off'), options), /is not a PNG, JPEG or WebP file/);
  await rejects(() => readFitted(filePath('none.png'), options), /cannot be read/);
});

test.run();

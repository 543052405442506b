/** The colours of CMYK pictures: by their own profile, or by a general one of a press. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFitted } from '../../support/files.ts';

const test = suite('CMYK');
const folder = mkdtempSync(join(tmpdir(), 'romo-cmyk-'));
test.after(() => rmSync(folder, { recursive: true }));

/** A JPEG of one colour, which libvips converts to inks. */
async function inks(r: number, g: number, b: number): Promise<Buffer> {
  const background = { r, g, b };
  return sharp({ create: { width: 16, height: 16, channels: 3, background } })
    .toColourspace('cmyk')
    .jpeg({ quality: 100 })
    .toBuffer();
}

/** Red, green and blue of the first pixel, 0..255. */
async function colourOf(jpeg: Buffer): Promise<number[]> {
  const path = join(folder, 'picture.jpg');
  writeFileSync(path, jpeg);
  return [...(await readFitted(path, { size: 8, channels: 3 })).subarray(0, 3)].map((value) => Math.round(value * 255));
}

/**
 * An ICC profile (ICC.1:2001-04) in which every mixture of inks without black is one colour of CIE Lab.
 * @param lab three bytes: L * 2.55, a + 128, b + 128
 */
function profileOf(lab: readonly number[]): Buffer {
  const identity = Array.from({ length: 256 }, (_, i) => i);
  const table = Buffer.alloc(48); // lut8Type: 4 inputs, 3 outputs, 2 grid points along each, matrix
  table.write('mft1', 0, 'latin1');
  table.set([4, 3, 2], 8);
  for (const diagonal of [0, 4, 8]) table.writeInt32BE(65536, 12 + 4 * diagonal);
  const curves = (count: number) => Buffer.from(Array.from({ length: count }, () => identity).flat());
  const colours = Buffer.from(
    Array.from({ length: 2 ** 4 }, (_, inks) => (inks % 2 === 0 ? lab : [0, 128, 128])).flat(),
  );
  const lut = Buffer.concat([table, curves(4), colours, curves(3)]);
  const header = Buffer.alloc(128 + 4 + 12);
  header.writeUInt32BE(header.length + lut.length, 0);
  header.writeUInt32BE(0x02400000, 8);
  header.write('prtrCMYKLab ', 12, 'latin1');
  header.write('acsp', 36, 'latin1');
  [0xf6d6, 0x10000, 0xd32d].forEach((value, i) => {
    header.writeUInt32BE(value, 68 + 4 * i); // D50
  });
  header.writeUInt32BE(1, 128); // tags
  header.write('A2B0', 132, 'latin1');
  header.writeUInt32BE(header.length, 136);
  header.writeUInt32BE(lut.length, 140);
  return Buffer.concat([header, lut]);
}

/** Inserts the profile as an APP2 segment after the start of a JPEG. */
function withProfile(jpeg: Buffer, profile: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\x01', 'latin1'), profile]);
  const marker = Buffer.from([0xff, 0xe2, 0, 0]);
  marker.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), marker, content, jpeg.subarray(2)]);
}

test('an embedded profile decides', async () => {
  const [r, g, b] = await colourOf(withProfile(await inks(255, 0, 0), profileOf([128, 88, 168])));
  assert.ok(g > r + 40 && g > b + 40, `${[r, g, b]} is not green`); // L 50, a -40, b 40
});

test('without a profile inks are those of a press: white is white, red and blue are darker than R = (1 - C)(1 - K)', async () => {
  const near = (colour: readonly number[], wanted: readonly number[]) =>
    assert.ok(
      colour.every((value, i) => Math.abs(value - wanted[i]) <= 4),
      `${colour}, not ${wanted}`,
    );
  near(await colourOf(await inks(255, 255, 255)), [255, 255, 255]);
  near(await colourOf(await inks(255, 0, 0)), [232, 0, 0]); // inks 0, 255, 255, 0
  near(await colourOf(await inks(0, 0, 255)), [28, 60, 139]); // inks 238, 195, 0, 0
});

test.run();

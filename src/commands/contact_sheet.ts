/** A picture of some pairs: each image next to its cloud, seen from the front and slightly from above. */
import { nearest, viewFrom } from '../data/cloud_view.ts';
import { resizeImage } from '../data/resize.ts';
import type { PairedData, Sample } from '../data/types.ts';

const CELL = 96; // pixels of an image or a cloud
const GAP = 8;
const COLUMNS = 5; // pairs per row
const PAPER = 40; // grey between the pairs

/** @returns the bytes of a PNG file, and the ids of the pairs on it, row by row */
export async function contactSheet(pairs: PairedData, most: number): Promise<{ png: Uint8Array; ids: string[] }> {
  const count = Math.min(most, pairs.length);
  // Spread evenly over the whole set, since neighbours often have the same class.
  const indices = Array.from({ length: count }, (_, i) => Math.floor((i * pairs.length) / count));
  const samples = await pairs.load(indices);
  const width = COLUMNS * (2 * CELL + GAP) + GAP;
  const height = Math.ceil(count / COLUMNS) * (CELL + GAP) + GAP;
  const sheet = new Uint8Array(3 * width * height).fill(PAPER);
  samples.forEach((sample, i) => {
    const left = GAP + (i % COLUMNS) * (2 * CELL + GAP);
    const top = GAP + Math.floor(i / COLUMNS) * (CELL + GAP);
    paste(sheet, width, left, top, pictureOf(sample, pairs.imageShape));
    paste(sheet, width, left + CELL, top, drawingOf(sample.cloud));
  });
  const { default: sharp } = await import('sharp');
  const png = await sharp(sheet, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  return { png, ids: indices.map((index) => pairs.id(index)) };
}

/** @returns [CELL, CELL, 3], 0..1 */
function pictureOf({ image }: Sample, shape: PairedData['imageShape']): Float32Array {
  const fitted = resizeImage(image, shape, CELL);
  const channels = shape[2];
  return Float32Array.from({ length: 3 * CELL * CELL }, (_, i) =>
    channels === 3 ? fitted[i] : fitted[Math.floor(i / 3)],
  );
}

const VIEW = viewFrom(0.6 - Math.PI / 2, 0.4);

/**
 * The cloud with its first axis to the right and back, its third up; nearer points are brighter. The same shape and
 * range.
 */
function drawingOf(cloud: Float32Array): Float32Array {
  const depth = nearest(cloud, VIEW, CELL, (0.8 * CELL) / 1.2);
  return Float32Array.from({ length: 3 * CELL * CELL }, (_, i) => {
    const near = depth[Math.floor(i / 3)];
    return near === Number.NEGATIVE_INFINITY ? 0.08 : Math.min(1, Math.max(0.25, 0.65 + 0.6 * near));
  });
}

function paste(sheet: Uint8Array, width: number, left: number, top: number, picture: Float32Array): void {
  for (let row = 0; row < CELL; row++) {
    for (let i = 0; i < 3 * CELL; i++) {
      sheet[3 * ((top + row) * width + left) + i] = Math.round(255 * picture[row * 3 * CELL + i]);
    }
  }
}

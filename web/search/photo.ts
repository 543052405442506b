/** Prepares the visitor's picture file for the encoder: the object bright on black, filling the frame. */
import { PICTURE } from './gallery.ts';

const WORK = 192;
const FILL = 0.88;
/** how far a pixel must differ from the background to belong to the object */
const DIFFERENCE = 0.12;

/** @throws Error if the browser cannot read the file as a picture */
export async function readPicture(file: Blob, name: string): Promise<Float32Array> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(`${name} is not a picture that this browser can read. Choose a PNG, JPEG or WebP file.`);
  }
  const scale = WORK / Math.max(bitmap.width, bitmap.height);
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const { grey } = pixels(bitmap, width, height);
  const background = median(border(grey, width, height));
  const object = boundingBox(grey, width, height, background);
  const factor = (FILL * PICTURE) / Math.max(object.width, object.height);
  const canvas = new OffscreenCanvas(PICTURE, PICTURE);
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  const value = Math.round(background * 255);
  context.fillStyle = `rgb(${value} ${value} ${value})`;
  context.fillRect(0, 0, PICTURE, PICTURE);
  context.imageSmoothingQuality = 'high';
  context.translate(PICTURE / 2, PICTURE / 2);
  context.scale(factor, factor);
  context.translate(-object.left - object.width / 2, -object.top - object.height / 2);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = context.getImageData(0, 0, PICTURE, PICTURE);
  const values = greyOf(data);
  // The encoders know only objects that are brighter than their background.
  return background > 0.5 ? values.map((v) => Math.min(1, Math.max(0, 1 - v / background))) : values;
}

function pixels(bitmap: ImageBitmap, width: number, height: number): { grey: Float32Array } {
  const context = new OffscreenCanvas(width, height).getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.fillStyle = '#fff'; // transparent pixels count as paper
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  return { grey: greyOf(context.getImageData(0, 0, width, height).data) };
}

function greyOf(data: Uint8ClampedArray): Float32Array {
  return Float32Array.from({ length: data.length / 4 }, (_, i) => {
    const [red, green, blue] = data.subarray(4 * i, 4 * i + 3);
    return (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
  });
}

function border(grey: Float32Array, width: number, height: number): number[] {
  return [...grey].filter((_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return x === 0 || y === 0 || x === width - 1 || y === height - 1;
  });
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1];

function boundingBox(grey: Float32Array, width: number, height: number, background: number) {
  let [left, right, top, bottom] = [width, -1, height, -1];
  grey.forEach((value, i) => {
    if (Math.abs(value - background) < DIFFERENCE) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  });
  if (right < 0) return { left: 0, top: 0, width, height };
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

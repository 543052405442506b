/** Pictures for pages: images and point clouds as small PNGs in data URIs. */
import sharp, { type Sharp } from 'sharp';
import { type CloudView, nearest } from '../data/cloud_view.ts';

const SIDE = 80; // pixels of a picture

/** @param image [H, W, C], values 0..1; one, three or four channels */
export async function imagePicture(image: Float32Array, shape: readonly [number, number, number]): Promise<string> {
  const [height, width, channels] = shape;
  const bytes = Uint8Array.from(image, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
  const raw = { width, height, channels: channels as 1 | 3 | 4 };
  const kernel = Math.max(width, height) < SIDE ? 'nearest' : 'lanczos3';
  return dataUri(sharp(bytes, { raw }).resize(SIDE, SIDE, { fit: 'inside', kernel }));
}

const INK = [74, 124, 214]; // readable on white and on black

/** @param cloud [P, 3]; nearer points are brighter */
export function cloudPicture(cloud: Float32Array, view: CloudView): Promise<string> {
  let reach = 1e-6;
  for (const value of cloud) reach = Math.max(reach, Math.abs(value));
  const depth = nearest(cloud, view, SIDE, (0.5 * SIDE) / (1.25 * reach));
  const pixels = new Uint8Array(4 * SIDE * SIDE);
  depth.forEach((near, pixel) => {
    if (near === Number.NEGATIVE_INFINITY) return;
    const light = 0.55 + 0.45 * Math.min(1, Math.max(-1, near / reach));
    pixels.set([...INK.map((value) => Math.min(255, value * (0.4 + light))), 255], 4 * pixel);
  });
  return dataUri(sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 4 } }));
}

async function dataUri(picture: Sharp): Promise<string> {
  const png = await picture.png({ palette: true }).toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}

/** Pictures for pages: images and point clouds as small PNGs in data URIs. */
import sharp, { type Sharp } from 'sharp';
import type { CloudRotation } from '../data/types.ts';

const SIDE = 80; // pixels of a picture

/** @param image [H, W, C], values 0..1; one, three or four channels */
export async function imagePicture(image: Float32Array, shape: readonly [number, number, number]): Promise<string> {
  const [height, width, channels] = shape;
  const bytes = Uint8Array.from(image, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
  const raw = { width, height, channels: channels as 1 | 3 | 4 };
  const kernel = Math.max(width, height) < SIDE ? 'nearest' : 'lanczos3';
  return dataUri(sharp(bytes, { raw }).resize(SIDE, SIDE, { fit: 'inside', kernel }));
}

/** Directions of a view as unit vectors: to the right, up, towards the eye. */
type View = readonly [readonly number[], readonly number[], readonly number[]];

/**
 * From where an object is best seen: one that may be turned about an axis at will stands on it and is seen from a little above;
 * another is a relief, seen along the axis that it is turned about, a little from the side.
 */
export function viewOf({ axis, maxDegrees }: CloudRotation): View {
  const along = (main: number, side: number, up: number) => {
    const vector = [0, 0, 0];
    vector[axis] = main;
    vector[(axis + 1) % 3] = side;
    vector[(axis + 2) % 3] = up;
    return vector;
  };
  if (maxDegrees >= 90) return [along(0, 0.8, 0.6), along(0.9, -0.26, 0.35), along(0.44, 0.54, -0.72)];
  return [along(-0.35, 0.94, 0), along(0, 0, 1), along(0.94, 0.35, 0)];
}

const INK = [74, 124, 214]; // readable on white and on black
const BALL = 2; // pixels

/** @param cloud [P, 3], normalised to about -1..1; nearer points are brighter */
export function cloudPicture(cloud: Float32Array, view: View): Promise<string> {
  const dot = (at: number, axis: readonly number[]) =>
    cloud[at] * axis[0] + cloud[at + 1] * axis[1] + cloud[at + 2] * axis[2];
  let reach = 1e-6;
  for (const value of cloud) reach = Math.max(reach, Math.abs(value));
  const scale = (0.5 * SIDE) / (1.25 * reach);
  const depth = new Float32Array(SIDE * SIDE).fill(Number.NEGATIVE_INFINITY);
  for (let at = 0; at < cloud.length; at += 3) {
    const column = Math.floor(SIDE / 2 + scale * dot(at, view[0]));
    const row = Math.floor(SIDE / 2 - scale * dot(at, view[1]));
    const near = dot(at, view[2]) / reach;
    for (let y = Math.max(0, row); y < Math.min(SIDE, row + BALL); y++) {
      for (let x = Math.max(0, column); x < Math.min(SIDE, column + BALL); x++) {
        depth[y * SIDE + x] = Math.max(depth[y * SIDE + x], near);
      }
    }
  }
  const pixels = new Uint8Array(4 * SIDE * SIDE);
  depth.forEach((near, pixel) => {
    if (near === Number.NEGATIVE_INFINITY) return;
    const light = 0.55 + 0.45 * Math.min(1, Math.max(-1, near));
    pixels.set([...INK.map((value) => Math.min(255, value * (0.4 + light))), 255], 4 * pixel);
  });
  return dataUri(sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 4 } }));
}

async function dataUri(picture: Sharp): Promise<string> {
  const png = await picture.png({ palette: true }).toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}

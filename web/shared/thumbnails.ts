/** Small still pictures on 2D canvases. */
import { seen, viewFrom } from 'romo/data';
import { colour } from './page.ts';

/** Paints grey values 0..1 [side, side]. */
export function paintPicture(canvas: HTMLCanvasElement, picture: Float32Array): void {
  const side = Math.sqrt(picture.length);
  canvas.width = canvas.height = side;
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  const image = context.createImageData(side, side);
  image.data.fill(255);
  picture.forEach((value, i) => {
    image.data.fill(255 * value, 4 * i, 4 * i + 3);
  });
  context.putImageData(image, 0, 0);
}

/** The picture's values as ink over the canvas's background. */
export function paintInk(canvas: HTMLCanvasElement, picture: Float32Array): void {
  const side = Math.sqrt(picture.length);
  canvas.width = canvas.height = side;
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  const image = context.createImageData(side, side);
  picture.forEach((value, i) => {
    image.data[4 * i + 3] = 255 * value;
  });
  context.putImageData(image, 0, 0);
  context.globalCompositeOperation = 'source-in';
  context.fillStyle = colour('ink');
  context.fillRect(0, 0, side, side);
  context.globalCompositeOperation = 'source-over';
}

const VIEW = viewFrom(0.7, 0.3);

/** Paints a cloud [P, 3], z up, seen from a corner; distant points are paler. */
export function paintCloud(canvas: HTMLCanvasElement, cloud: Float32Array, side = 128): void {
  canvas.width = canvas.height = side;
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  context.fillStyle = colour('cloud');
  const points = seen(cloud, VIEW);
  for (let at = 0; at < points.length; at += 3) {
    const [right, up, near] = points.subarray(at, at + 3);
    context.globalAlpha = Math.min(1, Math.max(0.25, 0.7 + 0.6 * near));
    context.fillRect(side * (0.5 + 0.8 * right) - 1, side * (0.5 - 0.8 * up) - 1, 2, 2);
  }
}

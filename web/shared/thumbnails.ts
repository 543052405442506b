/** Small still pictures on 2D canvases. */
import { colour } from './page.ts';

/** Grey values 0..1 [side, side] as they are. */
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

/** The picture's values as ink on whatever is behind the canvas. */
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

/** A cloud [P, 3], z up, seen from a corner; what is far is paler. */
export function paintCloud(canvas: HTMLCanvasElement, cloud: Float32Array, side = 128, azimuth = 0.7): void {
  canvas.width = canvas.height = side;
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  context.fillStyle = colour('cloud');
  const [c, s] = [Math.cos(azimuth), Math.sin(azimuth)];
  for (let at = 0; at < cloud.length; at += 3) {
    const [x, y, z] = cloud.subarray(at, at + 3);
    const depth = c * x + s * y;
    context.globalAlpha = Math.min(1, Math.max(0.25, 0.7 + 0.6 * depth));
    const across = side * (0.5 + 0.8 * (c * y - s * x));
    const down = side * (0.5 - 0.8 * (0.95 * z - 0.3 * depth));
    context.fillRect(across - 1, down - 1, 2, 2);
  }
}

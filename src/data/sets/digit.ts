/**
 * Converts a digit's 28 x 28 pixels to the image and the point cloud of 3D MNIST.
 *
 * Recipe of the published set (D. de la Iglesia Castro, "3D MNIST"): each non-zero pixel of the image, padded by one,
 * is a box 1 x 1 x 6. The points form a lattice on the boxes' surface: 5 x 5 on front and back, 5 x 30 on each side
 * with an empty neighbour pixel. A pixel therefore gives 50 + 150 x (number of empty neighbours) points.
 */
import { normalizeCloud } from '../normalize.ts';

/** Height and width of MNIST's pictures in pixels. */
export const DIGIT_SIZE = 28;
export const PADDED_SIZE = DIGIT_SIZE + 2;

const FACE_STEPS = 5;
const DEPTH_STEPS = 30;
const HALF_DEPTH = 3;

/**
 * @param pixels [28, 28], 0..255
 * @returns [30, 30, 1], values 0..1
 */
export function digitImage(pixels: ArrayLike<number>): Float32Array {
  const image = new Float32Array(PADDED_SIZE * PADDED_SIZE);
  for (let row = 0; row < DIGIT_SIZE; row++) {
    for (let column = 0; column < DIGIT_SIZE; column++) {
      image[(row + 1) * PADDED_SIZE + column + 1] = pixels[row * DIGIT_SIZE + column] / 255;
    }
  }
  return image;
}

/**
 * The full surface lattice, about 25,000 points, pixel by pixel; none for an empty image. Axis 0 is the depth, 1 runs
 * along the image's columns, 2 up (against its rows). The longest side is 1, the mean is zero.
 * @param pixels [28, 28] bytes
 * @returns [P, 3]
 */
export function digitCloud(pixels: Uint8Array): Float32Array {
  const filled = (row: number, column: number): boolean =>
    row >= 0 && row < DIGIT_SIZE && column >= 0 && column < DIGIT_SIZE && pixels[row * DIGIT_SIZE + column] > 0;
  const face = Array.from({ length: FACE_STEPS }, (_, i) => i / (FACE_STEPS - 1) - 0.5);
  const depth = Array.from({ length: DEPTH_STEPS }, (_, i) => HALF_DEPTH * ((2 * i) / (DEPTH_STEPS - 1) - 1));
  const points: number[] = [];
  // In the recipe x is the row, y the column, z the depth. The stored cloud is rotated: (x, y, z) -> (z, y, -x).
  const add = (x: number, y: number, z: number): void => {
    points.push(z, y, -x);
  };
  for (let row = 0; row < DIGIT_SIZE; row++) {
    for (let column = 0; column < DIGIT_SIZE; column++) {
      if (!filled(row, column)) continue;
      for (const x of face) {
        for (const y of face) {
          add(row + x, column + y, HALF_DEPTH);
          add(row + x, column + y, -HALF_DEPTH);
        }
      }
      for (const side of [-1, 1]) {
        if (!filled(row + side, column)) {
          for (const y of face) for (const z of depth) add(row + side / 2, column + y, z);
        }
        if (!filled(row, column + side)) {
          for (const x of face) for (const z of depth) add(row + x, column + side / 2, z);
        }
      }
    }
  }
  return normalizeCloud(points);
}

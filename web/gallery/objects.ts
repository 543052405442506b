/** The kinds of objects that the search page's model learns: the built-in shapes and digits. */
import type { Random } from 'romo';
import { makeShape, normalizeMesh, randomView, rasterise, SHAPE_CLASSES, samplePoints, turn } from 'romo/data';
import { DIGIT_CLASSES, digitMesh, ink, makeDigit } from './digits.ts';
import { sketch } from './sketch.ts';

export const KINDS: readonly string[] = [...SHAPE_CLASSES, ...DIGIT_CLASSES];

export interface MadeObject {
  /** [count, 3], z up */
  cloud(count: number, random: Random): Float32Array;
  /** as if drawn by hand: ink is 1, paper is 0. [size, size] */
  drawing(size: number, random: Random): Float32Array;
  /** a shaded view of a shape, bright on black; a drawing of a digit, since digits are flat. [size, size] */
  picture(size: number, random: Random): Float32Array;
}

/** Makes a random object of a kind. */
export function makeObject(kind: number, random: Random): MadeObject {
  if (kind >= SHAPE_CLASSES.length) {
    const digit = makeDigit(kind - SHAPE_CLASSES.length, random);
    const mesh = normalizeMesh(digitMesh(digit, random));
    const drawing: MadeObject['drawing'] = (size, again) =>
      ink(digit.draw(again), size, again.uniform(0.8, 0.92), again.uniform(0.03, 0.075));
    return { cloud: (count, again) => samplePoints(mesh, count, again), drawing, picture: drawing };
  }
  const shape = makeShape(kind, random);
  const front = random.uniform(0, 360);
  const mesh = turn(shape, 'z', front);
  return {
    cloud: (count, again) => samplePoints(mesh, count, again),
    drawing: (size, again) => sketch(mesh, front, size, again),
    picture: (size, again) => rasterise(mesh, randomView(again), size),
  };
}

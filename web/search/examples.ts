/** Drawings to try without drawing, made by the program from objects that neither training nor the gallery holds. */
import { Random } from 'romo';
import { turn } from '../../src/data/shapes/mesh.ts';
import { makeShape, SHAPE_CLASSES } from '../../src/data/shapes/shapes.ts';
import { sketch } from '../gallery/sketch.ts';
import { PICTURE } from './gallery.ts';

const NAMES = ['chair', 'aeroplane', 'mug', 'lamp', 'guitar', 'tree'];
const SEED = 77;

export function exampleDrawings(): { name: string; picture: Float32Array }[] {
  return NAMES.map((name) => {
    const random = new Random(SEED, 'example', name);
    const shape = makeShape(SHAPE_CLASSES.indexOf(name), random);
    const front = random.uniform(0, 360);
    return { name, picture: sketch(turn(shape, 'z', front), front, PICTURE, random) };
  });
}

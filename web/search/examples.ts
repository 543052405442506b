/** Example drawings for visitors who do not want to draw, of objects in neither the training set nor the gallery. */
import { Random } from 'romo';
import { KINDS, makeObject } from '../gallery/objects.ts';
import { PICTURE } from './gallery.ts';

const NAMES = ['chair', 'aeroplane', 'mug', 'lamp', 'digit 3', 'digit 8'];
const SEED = 77;

export function exampleDrawings(): { name: string; picture: Float32Array }[] {
  return NAMES.map((name) => {
    const random = new Random(SEED, 'example', name);
    return { name, picture: makeObject(KINDS.indexOf(name), random).drawing(PICTURE, random) };
  });
}

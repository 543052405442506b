/** Whether two models are the same: vectors of different ones do not compare, and nothing would say so. */
import { RomoError } from '../tensor/error.ts';
import type { ModelStamp } from './gallery.ts';

const told = ({ sha256, stage, dimension }: ModelStamp): string =>
  `${sha256.slice(0, 12)}... (${stage}, ${dimension} numbers)`;

/**
 * @param gallery what errors call it
 * @throws RomoError `gallery` where the models differ
 */
export function checkSameModel(gallery: string, made: ModelStamp, given: ModelStamp): void {
  if (made.sha256 === given.sha256 && made.stage === given.stage && made.dimension === given.dimension) return;
  throw new RomoError(
    'gallery',
    `${gallery} was made by the model ${told(made)}, not by ${told(given)}`,
    'Use the run that made it, or index the collection with this one into a new gallery.',
  );
}

/** Guards against mixing models: embeddings of different models cannot be compared, and nothing else would notice. */
import { RomoError } from '../tensor/error.ts';
import type { ModelStamp } from './gallery.ts';

const told = ({ sha256, stage, dimension }: ModelStamp): string =>
  `${sha256.slice(0, 12)}... (${stage}, ${dimension} numbers)`;

/** Another model made the gallery. */
export class OtherModel extends RomoError {
  constructor(message: string, fix: string) {
    super('gallery', message, fix);
  }
}

/**
 * Throws unless the two models are the same.
 * @param gallery its name, for errors
 * @throws RomoError `gallery` if the models differ
 */
export function checkSameModel(gallery: string, made: ModelStamp, given: ModelStamp): void {
  if (made.sha256 === given.sha256 && made.stage === given.stage && made.dimension === given.dimension) return;
  throw new OtherModel(
    `${gallery} was made by the model ${told(made)}, not by ${told(given)}`,
    'Use the run that made it, or index the collection with this one into a new gallery.',
  );
}

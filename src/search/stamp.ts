/**
 * Guards against mixing models, or objects that were prepared differently: their embeddings cannot be compared, and
 * nothing else would notice.
 */
import { RomoError } from '../tensor/error.ts';
import type { ModelStamp, Numbers } from './gallery.ts';

const told = ({ sha256, stage, dimension }: ModelStamp): string =>
  `${sha256.slice(0, 12)}... (${stage}, ${dimension} numbers)`;

/** Another model made the gallery, or one that prepares objects in another way. */
export class OtherModel extends RomoError {
  constructor(message: string, fix: string) {
    super('gallery', message, fix);
  }
}

/**
 * Throws unless the two models and their preparations are the same.
 * @param gallery its name, for errors
 * @throws RomoError `gallery` if they differ
 */
export function checkSameModel(gallery: string, made: ModelStamp, given: ModelStamp): void {
  if (made.sha256 === given.sha256 && made.stage === given.stage && made.dimension === given.dimension) {
    checkSamePreparation(gallery, made, given);
    return;
  }
  throw new OtherModel(
    `${gallery} was made by the model ${told(made)}, not by ${told(given)}`,
    'Use the run that made it, or index the collection with this one into a new gallery.',
  );
}

/**
 * Throws unless objects were prepared as given, where the stamp records it.
 * @throws RomoError `gallery` that names what differs
 */
export function checkSamePreparation(gallery: string, made: ModelStamp, { preparation }: ModelStamp): void {
  if (!preparation) return;
  const own = made.preparation;
  const differing = Object.keys(preparation).filter((name) => own?.[name] !== preparation[name]);
  if (own && differing.length === 0) return;
  const what = differing.map((name) => `${name} ${own?.[name]}, not ${preparation[name]}`).join('; ');
  throw new OtherModel(
    own ? `${gallery} holds objects that were prepared with ${what}` : `${gallery} does not say how it was prepared`,
    'Index the collection into a new gallery: node dist/search.js index RUN_DIR --to NEW.',
  );
}

/** @throws RomoError `gallery` if other numbers are asked for than the gallery stores */
export function checkSameNumbers(gallery: string, stored: Numbers, asked: Numbers | undefined): void {
  if (asked === undefined || asked === stored) return;
  throw new RomoError(
    'gallery',
    `${gallery} stores ${stored}, not ${asked}`,
    'Index the collection into a new gallery.',
  );
}

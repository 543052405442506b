/** A page has no folders. Node's: folder.node.ts. */
import { RomoError } from '../../tensor/error.ts';
import type { TakenFolder } from './folder.node.ts';

/** @throws RomoError `option` */
export async function takeFolder(folder: string): Promise<TakenFolder> {
  const fix = 'Use pglite:idb://NAME, which the browser keeps, or pglite:memory://.';
  throw new RomoError('option', `pglite:${folder} names a folder, which a page has not`, fix);
}

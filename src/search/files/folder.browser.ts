/** Pages have no folders. For Node: folder.node.ts. */
import { RomoError } from '../../tensor/error.ts';
import type { TakenFolder } from './folder.node.ts';

/** @throws RomoError `option` */
export async function takeFolder(folder: string): Promise<TakenFolder> {
  const fix = 'Use pglite:idb://NAME, which the browser stores, or pglite:memory://.';
  throw new RomoError('option', `pglite:${folder} names a folder, and pages have none`, fix);
}

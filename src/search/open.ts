/** Which kind of gallery a name means. Node only. */
import type { Gpu } from '../tensor/device.ts';
import { openFileGallery } from './files/file_gallery.ts';
import type { Gallery, ModelStamp } from './gallery.ts';
import { isDatabase, openDatabaseGallery } from './postgres/database.ts';

/**
 * @param to a folder; `pglite:FOLDER`, an embedded Postgres; `postgres://...`, a server
 * @param stamp of the model whose embeddings come: a new gallery is begun where there is none. null: it must be there.
 * @param device opened by the first search of a gallery of files
 */
export function openGallery(to: string, stamp: ModelStamp | null, device: () => Promise<Gpu>): Promise<Gallery> {
  if (isDatabase(to)) return openDatabaseGallery(to, stamp);
  return openFileGallery(to, stamp, device);
}

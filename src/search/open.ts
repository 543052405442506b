/** Opens a gallery by its name. Node only. */
import type { Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { openFileGallery } from './files/file_gallery.ts';
import type { Gallery, ModelStamp } from './gallery.ts';
import { type DatabaseOptions, isDatabase, openDatabaseGallery } from './postgres/database.ts';

/**
 * Opens a gallery in a folder or a database.
 * @param to a folder; `pglite:FOLDER`, an embedded Postgres; `postgres://...`, a server
 * @param stamp of the model whose embeddings will be added: creates the gallery if it is missing. null: it must exist.
 * @param device called by the first search of a gallery in files
 * @param options of a new gallery
 * @throws RomoError `gallery` if it is missing or another model made it; `file`, `database`, `package`, `option`
 */
export async function openGallery(
  to: string,
  stamp: ModelStamp | null,
  device: () => Promise<Gpu>,
  options: DatabaseOptions = {},
): Promise<Gallery> {
  if (isDatabase(to)) return openDatabaseGallery(to, stamp, options);
  const { shards, numbers } = options;
  if (shards) {
    throw new RomoError(
      'option',
      `${to} is a folder, and only a gallery on a server has shards`,
      'Leave --shards out.',
    );
  }
  return openFileGallery(to, stamp, device, numbers);
}

/** The visitor's meshes and clouds, prepared for the encoders like those of any other gallery. */
import type { LoadedEncoders } from 'romo';
import { type Axis, prepareCloud } from 'romo/data';
import type { GalleryItem } from './gallery.ts';

/** An object of the visitor, as it is for one model. */
export type Prepared = (model: LoadedEncoders) => GalleryItem;

/**
 * Reads a file; what it becomes depends on the model.
 * @param up the axis that points up in the file, unless its format says so
 * @throws RomoError `file` if it cannot be read; `Prepared` throws if it cannot be used
 */
export async function readMesh(bytes: Uint8Array, name: string, up: Axis): Promise<Prepared> {
  const { parseGeometry } = await import('romo/files'); // few visitors bring meshes
  const geometry = await parseGeometry(bytes, name);
  const title = name.replace(/\.\w+$/, '');
  return ({ preparation }) => ({
    name: title,
    picture: null,
    cloud: prepareCloud(geometry, name, { ...preparation, up }),
  });
}

/** The search page's gallery: shapes and digits that training never saw, generated in the page from a seed. */
import { embedClouds, embedImages, type LoadedEncoders, Random } from 'romo';
import { prepareImage, sampleCloud } from 'romo/data';
import { KINDS, makeObject } from '../gallery/objects.ts';

/** An object as a picture and as a cloud. */
export interface GalleryItem {
  readonly name: string;
  /** [PICTURE, PICTURE], 0..1; null for the visitor's own meshes, which have no picture */
  readonly picture: Float32Array | null;
  /** [points, 3], z up */
  readonly cloud: Float32Array;
}

/** Height and width of the displayed pictures. */
export const PICTURE = 96;
const OBJECTS_PER_KIND = 12;
/** Points of a cloud: the most that an encoder may need. */
const POINTS = 1024;
/** Differs from the seed of training. */
const SEED = 20240712;

/** The built-in objects, kind by kind. Yields to other work after each kind. */
export async function openGallery(): Promise<GalleryItem[]> {
  const items: GalleryItem[] = [];
  for (const [kind, name] of KINDS.entries()) {
    for (let index = 0; index < OBJECTS_PER_KIND; index++) {
      const random = new Random(SEED, 'gallery', name, index);
      const object = makeObject(kind, random);
      items.push({ name, picture: object.picture(PICTURE, random), cloud: object.cloud(POINTS, random) });
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
  return items;
}

/** A grey picture in the size and with the channels that the encoder expects. */
export const fitPicture = (picture: Float32Array, side: number, { preparation }: LoadedEncoders): Float32Array =>
  prepareImage(picture, [side, side, 1], preparation);

function joined(arrays: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    out.set(array, at);
    at += array.length;
  }
  return out;
}

/** Embeddings of the gallery, as unit rows. Items without a picture have no row among the images. */
export async function embedGallery(model: LoadedEncoders, items: readonly GalleryItem[]) {
  const clouds = await embedItems(model, items);
  const pictures = items.flatMap(({ picture }) => (picture ? [fitPicture(picture, PICTURE, model)] : []));
  return { images: await embedImages(model, joined(pictures)), clouds };
}

/** Embeddings of the items' clouds, as unit rows. */
export function embedItems(model: LoadedEncoders, items: readonly GalleryItem[]): Promise<Float32Array> {
  return embedClouds(model, joined(items.map(({ cloud }) => sampleCloud(cloud, model.config))));
}

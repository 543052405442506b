/** The engine of the search page, in a worker: encoders, gallery, search. The page itself never waits for a kernel. */
import { expose } from 'comlink';
import { decodeSafetensors, embedImages, type Gpu, type LoadedEncoders, loadEncoders } from 'romo/encoders';
import { isLost, tryOpenDevice } from '../shared/device.ts';
import { exampleDrawings } from './examples.ts';
import { embedGallery, embedItems, fitPicture, type GalleryItem, openGallery, PICTURE } from './gallery.ts';
import { readMesh } from './meshes.ts';

/** What to look for: a picture asks for clouds, an object of the gallery asks for pictures. */
export type Query = { readonly picture: Float32Array } | { readonly object: number };

export interface Match {
  readonly index: number;
  /** cosine, -1..1 */
  readonly similarity: number;
}

export interface Answer {
  readonly matches: readonly Match[];
  /** SHA-256 of the bits of the query's embedding */
  readonly fingerprint: string;
  readonly milliseconds: number;
}

export interface ModelInfo {
  readonly name: string;
  readonly parameters: number;
  readonly dimension: number;
  readonly imageSize: number;
  readonly points: number;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Opened {
  readonly adapter: string;
  readonly items: readonly GalleryItem[];
  readonly examples: readonly { readonly name: string; readonly picture: Float32Array }[];
  readonly model: ModelInfo;
}

interface ModelFile {
  readonly bytes: Uint8Array;
  readonly name: string;
}

let gpu: Gpu | null = null;
let model: LoadedEncoders | null = null;
let file: ModelFile;
let items: GalleryItem[] = [];
/** unit rows of the gallery; an item without a picture has a row of zeros among the images */
let rows: { images: Float32Array; clouds: Float32Array };
let onLost: (reason: string) => void = () => {};

async function fetchBytes(name: string): Promise<Uint8Array> {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name} could not be loaded: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Opens the device if there is none, and puts the model on it. */
async function ready(): Promise<LoadedEncoders> {
  if (gpu && model) return model;
  const opening = await tryOpenDevice();
  if ('refused' in opening) throw new Error(opening.refused);
  return adopt(opening.gpu);
}

/** Puts the model on a device that has just been opened, and watches it. */
function adopt(opened: Gpu): LoadedEncoders {
  gpu = opened;
  void opened.device.lost.then(({ message }) => {
    if (gpu !== opened) return;
    gpu = null;
    onLost(message);
  });
  model = loadEncoders(opened, file.bytes, file.name);
  return model;
}

/** Runs `work`, once more on a new device where the first was lost under it. */
async function onDevice<T>(work: (model: LoadedEncoders) => Promise<T>): Promise<T> {
  const current = await ready();
  try {
    return await work(current);
  } catch (error) {
    if (!(await isLost(current.encoders.gpu))) throw error;
    return work(await ready());
  }
}

function info({ encoders, config, metadata }: LoadedEncoders): ModelInfo {
  const parameters = [...encoders.parameters().values()].reduce((sum, tensor) => sum + tensor.size, 0);
  const { imageSize, points } = config;
  return { name: file.name, parameters, dimension: encoders.dimension, imageSize, points, metadata };
}

async function embedAllItems(current: LoadedEncoders): Promise<typeof rows> {
  const { images, clouds } = await embedGallery(current, items);
  const { dimension } = current.encoders;
  const spread = new Float32Array(items.length * dimension);
  let row = 0;
  items.forEach(({ picture }, index) => {
    if (picture) spread.set(images.subarray(row * dimension, ++row * dimension), index * dimension);
  });
  return { images: spread, clouds };
}

function nearest(query: Float32Array, gallery: Float32Array, isAllowed: (index: number) => boolean): Match[] {
  const dimension = query.length;
  const matches: Match[] = [];
  for (let index = 0; index < gallery.length / dimension; index++) {
    if (!isAllowed(index)) continue;
    let similarity = 0;
    for (let c = 0; c < dimension; c++) similarity += query[c] * gallery[index * dimension + c];
    matches.push({ index, similarity });
  }
  return matches.sort((a, b) => b.similarity - a.similarity || a.index - b.index);
}

async function fingerprintOf(row: Float32Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', row.slice().buffer);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const engine = {
  /** Opens the device, the model and the gallery that come with the page. */
  async open(whenLost: (reason: string) => void): Promise<Opened | { refused: string }> {
    onLost = whenLost;
    const opening = await tryOpenDevice();
    if ('refused' in opening) return opening;
    const [bytes, gallery, objects] = await Promise.all([
      fetchBytes('model.safetensors'),
      fetchBytes('gallery.safetensors'),
      openGallery(),
    ]);
    file = { bytes, name: 'the model of this page' };
    items = objects;
    adopt(opening.gpu);
    const { tensors } = decodeSafetensors(gallery, 'gallery.safetensors');
    rows = { images: tensors.images.data as Float32Array, clouds: tensors.clouds.data as Float32Array };
    return onDevice(async (current) => {
      await embedImages(current, new Float32Array(current.imageShape.reduce((a, b) => a * b))); // compiles the kernels
      return { adapter: current.encoders.gpu.adapterName, items, examples: exampleDrawings(), model: info(current) };
    });
  },

  search(query: Query): Promise<Answer> {
    const start = performance.now();
    return onDevice(async (current) => {
      const { dimension } = current.encoders;
      let row: Float32Array;
      let matches: Match[];
      if ('picture' in query) {
        row = await embedImages(current, fitPicture(query.picture, PICTURE, current));
        matches = nearest(row, rows.clouds, () => true);
      } else {
        row = rows.clouds.slice(query.object * dimension, (query.object + 1) * dimension);
        matches = nearest(row, rows.images, (index) => items[index].picture !== null);
      }
      const fingerprint = await fingerprintOf(row);
      return { matches, fingerprint, milliseconds: performance.now() - start };
    });
  },

  /** Replaces the model; nothing changes where the file is no good. The gallery is embedded anew. */
  async loadModel(bytes: Uint8Array, name: string): Promise<ModelInfo> {
    await ready();
    const [before, beforeModel] = [file, model];
    try {
      model = loadEncoders(gpu as Gpu, bytes, name);
      file = { bytes, name };
      rows = await onDevice(embedAllItems);
      beforeModel?.encoders.dispose();
    } catch (error) {
      [file, model] = [before, beforeModel];
      throw error;
    }
    return info(model as LoadedEncoders);
  },

  /** Adds a mesh or cloud of the visitor's to the gallery. */
  async addMesh(bytes: Uint8Array, name: string, up: 'y' | 'z'): Promise<GalleryItem> {
    const item = { name: name.replace(/\.\w+$/, ''), picture: null, cloud: await readMesh(bytes, name, up) };
    const row = await onDevice((current) => embedItems(current, [item]));
    items.push(item);
    const grown = (old: Float32Array, added: Float32Array) => {
      const joined = new Float32Array(old.length + added.length);
      joined.set(old);
      joined.set(added, old.length);
      return joined;
    };
    rows = { images: grown(rows.images, new Float32Array(row.length)), clouds: grown(rows.clouds, row) };
    return item;
  },

  /** Takes the device away, to see what the page makes of it. */
  loseDevice(): void {
    gpu?.device.destroy();
  },
};

export type SearchEngine = typeof engine;
expose(engine);

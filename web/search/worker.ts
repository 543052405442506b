/** The search engine of the page in a worker: encoders, gallery, search. The page itself never waits for a kernel. */
import { expose } from 'comlink';
import type { Axis } from 'romo/data';
import { decodeSafetensors, embedImages, type Gpu, isLost, type LoadedEncoders, loadEncoders } from 'romo/encoders';
import { tryOpenDevice } from '../shared/device.ts';
import { exampleDrawings } from './examples.ts';
import { embedGallery, embedItems, fitPicture, type GalleryItem, openGallery, PICTURE } from './gallery.ts';
import { type Prepared, readMesh } from './meshes.ts';

/** A query: a picture searches for clouds, an object of the gallery for pictures. */
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

let gpu: Gpu;
/** the model on its device; null before the page opens it and after the device is lost */
let opened: Promise<LoadedEncoders> | null = null;
let file: ModelFile;
let items: GalleryItem[] = [];
/** the visitor's objects, which are the last of the items */
const own: Prepared[] = [];
/** embeddings of the gallery; an item without a picture has a row of zeros among the images */
let rows: { images: Float32Array; clouds: Float32Array };
let onLost: (whatHappened: string) => void = () => {};

/** One call at a time, so that a search never mixes the embeddings of one model with the encoders of another. */
let last: Promise<unknown> = Promise.resolve();
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = last.then(work);
  last = turn.catch(() => {}); // its caller sees the error
  return turn;
}

async function fetchBytes(name: string): Promise<Uint8Array> {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok)
    throw new Error(`${name} could not be loaded: ${response.status} ${response.statusText}. Load the page again.`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The model on a device; opens a device if there is none. */
function ready(): Promise<LoadedEncoders> {
  opened ??= tryOpenDevice()
    .then((opening) => {
      if ('refused' in opening) throw new Error(opening.refused);
      return adopt(opening.gpu);
    })
    .catch((error) => {
      opened = null;
      throw error;
    });
  return opened;
}

/** Loads the model on a newly opened device. If that device is lost, opens another. */
function adopt(device: Gpu): LoadedEncoders {
  gpu = device;
  void device.device.lost.then(({ message }) => {
    if (gpu !== device) return;
    opened = null;
    const reason = `The GPU was lost (${message || 'no reason given'})`;
    ready().then(
      () => onLost(`${reason}. A new device was opened with the same model and gallery.`),
      (error) => onLost(`${reason} and could not be opened again: ${error.message} Load the page again.`),
    );
  });
  return loadEncoders(device, file.bytes, file.name);
}

/** Runs `work`, and once more on a new device if the first one is lost. */
async function onDevice<T>(work: (model: LoadedEncoders) => Promise<T>): Promise<T> {
  const current = await ready();
  try {
    return await work(current);
  } catch (error) {
    if (!(await isLost(current.encoders.gpu, error))) throw error;
    return work(await ready());
  }
}

function info({ encoders, config, metadata }: LoadedEncoders): ModelInfo {
  const parameters = [...encoders.parameters().values()].reduce((sum, tensor) => sum + tensor.size, 0);
  const { imageSize, points } = config;
  return { name: file.name, parameters, dimension: encoders.dimension, imageSize, points, metadata };
}

/** Embeds the gallery. The visitor's objects are prepared again, because models differ in their numbers of points. */
async function embedAllItems(current: LoadedEncoders): Promise<{ renewed: GalleryItem[]; embedded: typeof rows }> {
  const renewed = [...items.slice(0, items.length - own.length), ...own.map((prepare) => prepare(current))];
  const { images, clouds } = await embedGallery(current, renewed);
  const { dimension } = current.encoders;
  const spread = new Float32Array(renewed.length * dimension);
  let row = 0;
  renewed.forEach(({ picture }, index) => {
    if (picture) spread.set(images.subarray(row * dimension, ++row * dimension), index * dimension);
  });
  return { renewed, embedded: { images: spread, clouds } };
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

/** Embeds a blank picture, so that the driver compiles the kernels. */
const warmUp = (current: LoadedEncoders) =>
  embedImages(current, new Float32Array(current.imageShape.reduce((a, b) => a * b)));

const engine = {
  /** Opens the device, the built-in model and its gallery. */
  open: (whenLost: (whatHappened: string) => void): Promise<Opened | { refused: string }> =>
    inTurn(async () => {
      onLost = whenLost;
      const opening = await tryOpenDevice();
      if ('refused' in opening) return opening;
      const [bytes, gallery] = await Promise.all([fetchBytes('model.safetensors'), fetchBytes('gallery.safetensors')]);
      file = { bytes, name: 'the built-in model' };
      opened = Promise.resolve(adopt(opening.gpu));
      // Generate the objects while the driver compiles.
      [items] = await Promise.all([openGallery(), onDevice(warmUp)]);
      const { tensors } = decodeSafetensors(gallery, 'gallery.safetensors');
      rows = { images: tensors.images.data as Float32Array, clouds: tensors.clouds.data as Float32Array };
      const current = await ready();
      return { adapter: gpu.adapterName, items, examples: exampleDrawings(), model: info(current) };
    }),

  search: (query: Query): Promise<Answer> =>
    inTurn(async () => {
      const start = performance.now();
      let row: Float32Array;
      let matches: Match[];
      if ('picture' in query) {
        row = await onDevice((current) => embedImages(current, fitPicture(query.picture, PICTURE, current)));
        matches = nearest(row, rows.clouds, () => true);
      } else {
        const dimension = rows.clouds.length / items.length;
        row = rows.clouds.slice(query.object * dimension, (query.object + 1) * dimension);
        matches = nearest(row, rows.images, (index) => items[index].picture !== null);
      }
      const fingerprint = await fingerprintOf(row);
      return { matches, fingerprint, milliseconds: performance.now() - start };
    }),

  /** Replaces the model; nothing changes if the file cannot be used. The gallery is embedded again. */
  loadModel: (bytes: Uint8Array, name: string): Promise<ModelInfo> =>
    inTurn(async () => {
      const before = { file, model: await ready() };
      opened = Promise.resolve(loadEncoders(gpu, bytes, name));
      file = { bytes, name };
      try {
        const { renewed, embedded } = await onDevice(embedAllItems);
        items = renewed;
        rows = embedded;
      } catch (error) {
        file = before.file;
        opened = before.model.encoders.gpu === gpu ? Promise.resolve(before.model) : null;
        throw error;
      }
      before.model.encoders.dispose();
      return info(await ready());
    }),

  /** Adds the visitor's mesh or cloud to the gallery. */
  addMesh: (bytes: Uint8Array, name: string, up: Axis): Promise<GalleryItem> =>
    inTurn(async () => {
      const prepare = await readMesh(bytes, name, up);
      const item = prepare(await ready());
      const row = await onDevice((current) => embedItems(current, [item]));
      items.push(item);
      own.push(prepare);
      const grown = (old: Float32Array, added: Float32Array) => {
        const joined = new Float32Array(old.length + added.length);
        joined.set(old);
        joined.set(added, old.length);
        return joined;
      };
      rows = { images: grown(rows.images, new Float32Array(row.length)), clouds: grown(rows.clouds, row) };
      return item;
    }),

  /** Takes the device away, to see how the page reacts. */
  loseDevice(): void {
    gpu.device.destroy();
  },
};

export type SearchEngine = typeof engine;
expose(engine);

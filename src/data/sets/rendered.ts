/** Renders views of objects that have a surface but no picture, and keeps them in the cache folder. Node only. */
import { createHash } from 'node:crypto';
import { toBytes, withChannels } from '../../files/pixels.ts';
import type { Remarks } from '../../files/remarks.ts';
import { Random } from '../../tensor/random.ts';
import { keptPoints } from '../prepare.ts';
import type { Surface } from '../shapes/mesh.ts';
import { randomView, rasterise } from '../shapes/rasterise.ts';
import type { ReadOptions, StoredObject } from './object.ts';
import { RenderedCache } from './rendered_cache.ts';

/** Part of every key. A new number invalidates the cache. */
const VERSION = 2;

/** An object to be rendered. */
export interface Solid {
  readonly id: string;
  /** the content, which determines the result together with the options */
  readonly content: Uint8Array;
  /** the visible sides of its triangles, see `rasterise` */
  readonly sides: 'outer' | 'both';
  /** Called only if the cache lacks the object. */
  make(): Promise<{
    surface: Surface;
    cloud: Float32Array;
    points: number;
    triangles: number;
    remarks?: Remarks;
  }>;
}

/** Views of a solid from random directions, which depend on its id, the seed and the number of the view. */
export async function renderedObject(solid: Solid, options: ReadOptions): Promise<StoredObject> {
  const { imageSize, seed, views: count, channels, points, up } = options;
  const cache = options.cacheFolder === null ? null : new RenderedCache(options.cacheFolder);
  const sizes = JSON.stringify([VERSION, solid.id, seed, imageSize, count, keptPoints(points), up]);
  const key = createHash('sha256').update(sizes).update(solid.content).digest('hex');
  let found = await cache?.get(key, imageSize, count);
  if (!found) {
    const made = await solid.make();
    const views = Array.from({ length: count }, (_, view) => {
      const from = randomView(new Random(seed, 'view', solid.id, view));
      return toBytes(rasterise(made.surface, from, imageSize, solid.sides));
    });
    const { cloud, points: vertices, triangles, remarks } = made;
    found = { views, cloud, origin: { points: vertices, triangles, width: 0, height: 0, remarks } };
    await cache?.put(key, found, imageSize);
  }
  return { ...found, views: found.views.map((view) => withChannels(view, channels)) };
}

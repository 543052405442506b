/**
 * ModelNet10 and ModelNet40 as published: CLASS/train/NAME.off, CLASS/test/NAME.off. Clouds are sampled uniformly from
 * the surface, pictures are rendered. Node only.
 */
import { join } from 'node:path';
import { parseGeometry } from '../../files/formats.ts';
import { readBytes } from '../../files/read.ts';
import { RomoError } from '../../tensor/error.ts';
import { prepareMesh } from '../prepare.ts';
import type { FoundSet, FoundSplit } from './found.ts';
import type { ObjectReader, ReadOptions } from './object.ts';
import { renderedObject } from './rendered.ts';
import { walk } from './walk.ts';

export interface MeshesPlan {
  readonly kind: 'meshes';
  readonly files: readonly string[];
}

export async function findModelnet(folder: string): Promise<FoundSet> {
  const files = await walk(folder);
  const matches = files.flatMap((path) => {
    const [, className, split, name] = /^(?:.*\/)?([^/]+)\/(train|test)\/([^/]+)\.off$/i.exec(path) ?? [];
    return className ? [{ path, className, split: split.toLowerCase(), id: `${className}/${name}` }] : [];
  });
  const classNames = [...new Set(matches.map(({ className }) => className))].sort();
  const splitOf = (split: string): FoundSplit => {
    const own = matches.filter((match) => match.split === split);
    if (own.length === 0) {
      throw new RomoError(
        'data',
        `modelnet: ${folder} has no CLASS/${split}/NAME.off`,
        'Give the folder of ModelNet10 or ModelNet40, which has a subfolder for each class.',
      );
    }
    return {
      ids: own.map(({ id }) => `${split}/${id}`),
      labels: own.map(({ className }) => classNames.indexOf(className)),
      plan: { kind: 'meshes', files: own.map(({ path }) => join(folder, path)) },
    };
  };
  const others = files.length - matches.length;
  return {
    name: 'modelnet',
    classNames,
    mirror: true,
    rotation: { axis: 2, maxDegrees: 180 }, // z is up
    channels: 1,
    train: splitOf('train'),
    test: splitOf('test'),
    inOrder: false,
    bad: [],
    notes: others > 0 ? [`${others} other files`] : [],
  };
}

export function openMeshes({ files }: MeshesPlan, ids: readonly string[], options: ReadOptions): ObjectReader {
  return {
    async read(index) {
      const path = files[index];
      const content = await readBytes(path);
      return renderedObject(
        {
          id: ids[index],
          content,
          sides: 'both',
          async make() {
            const geometry = await parseGeometry(content, path);
            return {
              ...prepareMesh(geometry, path, options),
              points: geometry.positions.length / 3,
              triangles: (geometry.triangles?.length ?? 0) / 3,
              remarks: geometry.remarks,
            };
          },
        },
        options,
      );
    },
    async close() {},
  };
}

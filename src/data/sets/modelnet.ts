/**
 * ModelNet10 and ModelNet40 as published: CLASS/train/NAME.off, CLASS/test/NAME.off; or train/CLASS/NAME.off, as in
 * copies. Clouds are sampled uniformly from the surface, pictures are rendered. Node only.
 */
import { posix } from 'node:path';
import { parseGeometry } from '../../files/formats.ts';
import { readBytes } from '../../files/read.ts';
import type { RomoError } from '../../tensor/error.ts';
import { prepareMesh } from '../prepare.ts';
import { badObject, type FoundSet, type FoundSplit, numberClasses, skippedOf, TooFewObjects } from './found.ts';
import type { ObjectReader, ReadOptions } from './object.ts';
import { renderedObject } from './rendered.ts';
import { kindOf, type Marked, type Placed, useSplits } from './splits.ts';
import { type OfFiles, type WalkedFile, walk, withoutCopies } from './walk.ts';

export interface MeshesPlan {
  readonly kind: 'meshes';
  readonly files: readonly string[];
}

interface Mesh extends OfFiles {
  readonly className: string;
  /** unique within ModelNet10 or ModelNet40: CLASS/NAME */
  readonly id: string;
  /** folder in which the classes, or the splits, are */
  readonly root: string;
}

export async function findModelnet(folder: string): Promise<FoundSet> {
  const { files, bad: unreadable, unlisted, notes } = await walk(folder);
  const meshes = meshesOf(files);
  if (meshes.length === 0) {
    throw new TooFewObjects(
      `modelnet: ${folder} has no CLASS/train/NAME.off`,
      'Give the folder of ModelNet10 or ModelNet40, which has a subfolder for each class.',
      skippedOf(unreadable),
    );
  }
  const splits = useSplits('modelnet', folder, meshes, unlisted.map((name) => posix.basename(name)).filter(kindOf));
  const copies = withoutCopies(splits.placed);
  const { kept, twice } = withoutRepeats(copies.kept);
  const { classNames, labels } = numberClasses(kept.map(({ className }) => className));
  const splitOf = (split: 'train' | 'test'): FoundSplit => {
    const own = kept.map((mesh, i) => ({ ...mesh, label: labels[i] })).filter((mesh) => mesh.split === split);
    return {
      ids: own.map(({ id }) => `${split}/${id}`),
      labels: own.map(({ label }) => label),
      plan: { kind: 'meshes', files: own.map((mesh) => mesh.files[0].path) },
    };
  };
  const others = files.length - meshes.length;
  return {
    name: 'modelnet',
    classNames,
    mirror: true,
    rotation: { axis: 2, maxDegrees: 180 }, // z is up
    channels: 1,
    train: splitOf('train'),
    test: splits.hasTest ? splitOf('test') : null,
    inOrder: false,
    bad: [...unreadable, ...twice],
    notes: [...(others > 0 ? [`${others} other files`] : []), ...notes, ...splits.notes, ...copies.notes],
  };
}

/** The meshes in the more frequent of the two layouts. */
function meshesOf(files: readonly WalkedFile[]): Marked<Mesh>[] {
  const layouts: [Marked<Mesh>[], Marked<Mesh>[]] = [[], []];
  for (const file of files) {
    const [, path, extension] = /^(.*)(\.off)$/i.exec(file.name) ?? [];
    const parts = path?.split('/') ?? [];
    if (!extension || parts.length < 3) continue;
    const root = parts.slice(0, -3).join('/');
    const [outer, inner, name] = parts.slice(-3);
    const mesh = (className: string): Mesh => ({
      name: path,
      files: [file],
      className,
      id: `${className}/${name}`,
      root,
    });
    if (kindOf(inner)) layouts[0].push({ object: mesh(outer), at: parts.length - 2 });
    if (kindOf(outer)) layouts[1].push({ object: mesh(inner), at: parts.length - 3 });
  }
  const [classFirst, splitFirst] = layouts;
  return splitFirst.length > classFirst.length ? splitFirst : classFirst;
}

/**
 * Finds meshes of one id. ModelNet10 is a part of ModelNet40: with both in one folder, an object could be trained on
 * and held out. In one of them, other people's sets count anew in each split.
 */
function withoutRepeats(meshes: readonly Placed<Mesh>[]): { kept: Placed<Mesh>[]; twice: RomoError[] } {
  const known = new Map<string, Placed<Mesh>>();
  const twice: RomoError[] = [];
  const kept = meshes.filter((mesh) => {
    const { id, root, split } = mesh;
    const other = known.get(id);
    if (other && (other.root !== root || other.split === split)) {
      const message = `${mesh.files[0].path} and ${other.files[0].path} are both ${id}`;
      twice.push(badObject(message, 'Give only one of their folders, or rename one of them.'));
      return false;
    }
    known.set(id, mesh);
    return true;
  });
  return { kept, twice };
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

/**
 * Reads any folder. NAME.png (jpg, jpeg, webp) is paired with NAME.off (or another 3D format) in the same subfolder.
 * Subfolders are classes; top-level folders `train` and `test` are splits. Node only.
 */
import { basename, dirname, extname, join } from 'node:path';
import { RomoError } from '../../tensor/error.ts';
import { badObject, type FoundSet, type FoundSplit, numberClasses } from './found.ts';
import type { PictureFile } from './picture_files.ts';
import { walk } from './walk.ts';

const PICTURES = ['.png', '.jpg', '.jpeg', '.webp'];
const SHAPES = ['.off', '.obj', '.ply', '.stl', '.pcd', '.npy', '.xyz', '.glb'];

interface Pair {
  /** path without extension */
  readonly name: string;
  picture?: string;
  shape?: string;
}

export async function findFolder(folder: string): Promise<FoundSet> {
  const bad: RomoError[] = [];
  const pairs = new Map<string, Pair>();
  let others = 0;
  for (const path of await walk(folder)) {
    const extension = extname(path).toLowerCase();
    const part = PICTURES.includes(extension) ? 'picture' : SHAPES.includes(extension) ? 'shape' : null;
    if (!part) {
      others++;
      continue;
    }
    const name = path.slice(0, -extension.length);
    const pair: Pair = pairs.get(name) ?? { name };
    pairs.set(name, pair);
    if (pair[part]) {
      const message = `${join(folder, path)} and ${basename(pair[part])} are both called ${basename(name)}`;
      bad.push(badObject(message, 'Rename one of them.'));
    } else pair[part] = path;
  }
  for (const { picture, shape } of pairs.values()) {
    if (picture && shape) continue;
    const [present, missing] = picture ? [picture, `3D file (${SHAPES.join(', ')})`] : [shape, 'picture'];
    bad.push(badObject(`${join(folder, present as string)} has no partner: no ${missing} of the same name`, 'Add it.'));
  }
  const whole = [...pairs.values()].filter(({ picture, shape }) => picture && shape);
  if (whole.length === 0) {
    throw new RomoError(
      'data',
      `folder: ${folder} has no pairs such as chair.png and chair.off`,
      `Give a folder with pictures (${PICTURES.join(', ')}) and 3D files (${SHAPES.join(', ')}) of the same names.`,
    );
  }
  const isSplit = whole.every(({ name }) => /^(train|test)\//.test(name));
  const classOf = ({ name }: Pair): string => dirname(isSplit ? name.replace(/^(train|test)\//, '') : name);
  const hasClasses = whole.some((pair) => classOf(pair) !== '.');
  const { classNames, labels } = numberClasses(whole.map(classOf));
  const splitOf = (isOf: (pair: Pair) => boolean): FoundSplit => {
    const chosen = whole.map((pair, i) => ({ pair, label: labels[i] })).filter(({ pair }) => isOf(pair));
    const items = chosen.map(
      ({ pair }): PictureFile => ({
        image: join(folder, pair.picture as string),
        geometry: join(folder, pair.shape as string),
      }),
    );
    return {
      ids: chosen.map(({ pair }) => pair.name),
      labels: hasClasses ? chosen.map(({ label }) => label) : null,
      plan: { kind: 'files', items },
    };
  };
  return {
    name: 'folder',
    classNames: hasClasses ? classNames : [],
    mirror: true,
    rotation: { axis: 2, maxDegrees: 180 }, // z is up, see prepare.ts
    channels: 3,
    train: splitOf(isSplit ? ({ name }) => name.startsWith('train/') : () => true),
    test: isSplit ? splitOf(({ name }) => name.startsWith('test/')) : null,
    inOrder: false,
    bad,
    notes: others > 0 ? [`${others} other files`] : [],
  };
}

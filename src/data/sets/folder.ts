/**
 * Reads any folder. NAME.png (jpg, jpeg, webp) is paired with NAME.off (or another 3D format) in the same subfolder.
 * Subfolders are classes, or splits if they are called so, see splits.ts. Node only.
 */
import { basename, extname, posix } from 'node:path';
import type { RomoError } from '../../tensor/error.ts';
import { badObject, type FoundSet, type FoundSplit, numberClasses, skippedOf, TooFewObjects } from './found.ts';
import type { PictureFile } from './picture_files.ts';
import { outsideSplits, placeInSplits } from './splits.ts';
import { filesKey, type WalkedFile, walk, withoutCopies } from './walk.ts';

const PICTURES = ['.png', '.jpg', '.jpeg', '.webp'];
const SHAPES = ['.off', '.obj', '.ply', '.stl', '.pcd', '.npy', '.npz', '.xyz', '.glb', '.gltf'];
/** A shape only next to a picture of the same name without another shape; else a caption, a list or a licence. */
const TEXT = '.txt';

/** The files of one name. */
interface Half {
  /** path relative to the folder, without extension */
  readonly name: string;
  picture?: WalkedFile;
  shape?: WalkedFile;
}

interface Pair extends Half {
  readonly picture: WalkedFile;
  readonly shape: WalkedFile;
}

const isPair = (half: Half): half is Pair => Boolean(half.picture && half.shape);

export async function findFolder(folder: string): Promise<FoundSet> {
  const { files, bad: unreadable, unlisted, notes: walkNotes } = await walk(folder);
  const { halves, twice, others } = pairUp(files);
  const pairs = halves.filter(isPair).map((pair) => ({ ...pair, files: [pair.picture, pair.shape] }));
  const alone = halves.filter((half) => !isPair(half));
  const bad = [...unreadable, ...twice, ...alone.map(noPartner)];
  if (pairs.length === 0) {
    throw new TooFewObjects(
      `folder: ${folder} has no pairs such as chair.png and chair.off`,
      `Give a folder with pictures (${PICTURES.join(', ')}) and 3D files (${SHAPES.join(', ')}) of the same names.`,
      skippedOf(bad),
    );
  }
  const aloneNames = alone.map(({ name }) => name);
  const splits = placeInSplits('folder', folder, pairs, aloneNames, unlisted);
  const { kept, notes: copyNotes } = withoutCopies(splits.placed);
  const keys = new Set(kept.map(filesKey));
  for (const pair of splits.outside) {
    if (!keys.has(filesKey(pair))) bad.push(outsideSplits(pair.picture.path));
  }
  const classOf = ({ rest }: { rest: string }): string => posix.dirname(rest);
  const hasClasses = kept.some((pair) => classOf(pair) !== '.');
  const { classNames, labels } = numberClasses(kept.map(classOf));
  const splitOf = (split: 'train' | 'test'): FoundSplit => {
    const chosen = kept.map((pair, i) => ({ ...pair, label: labels[i] })).filter((pair) => pair.split === split);
    const items = chosen.map(({ picture, shape }): PictureFile => ({ image: picture.path, geometry: shape.path }));
    return {
      ids: chosen.map(({ name }) => name),
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
    train: splitOf('train'),
    test: splits.hasTest ? splitOf('test') : null,
    inOrder: false,
    bad,
    notes: [...(others > 0 ? [`${others} other files`] : []), ...walkNotes, ...splits.notes, ...copyNotes],
  };
}

/** Joins pictures and 3D files of the same name. */
function pairUp(files: readonly WalkedFile[]) {
  const halves = new Map<string, Half>();
  const twice: RomoError[] = [];
  const texts: { name: string; file: WalkedFile }[] = [];
  let others = 0;
  for (const file of files) {
    const extension = extname(file.name);
    const isOne = (extensions: readonly string[]) => extensions.includes(extension.toLowerCase());
    const part = isOne(PICTURES) ? 'picture' : isOne(SHAPES) ? 'shape' : null;
    const name = extension === '' ? file.name : file.name.slice(0, -extension.length);
    if (isOne([TEXT])) texts.push({ name, file });
    else if (!part) others++;
    if (!part) continue;
    const half: Half = halves.get(name) ?? { name };
    halves.set(name, half);
    if (half[part]) {
      const message = `${file.path} and ${basename(half[part].path)} are both called ${basename(name)}`;
      twice.push(badObject(message, 'Rename one of them.'));
    } else half[part] = file;
  }
  for (const { name, file } of texts) {
    const half = halves.get(name);
    if (half && !half.shape) half.shape = file;
    else others++;
  }
  return { halves: [...halves.values()], twice, others };
}

function noPartner({ picture, shape }: Half): RomoError {
  const [present, missing] = picture
    ? [picture, `3D file (${SHAPES.join(', ')})`]
    : [shape, `picture (${PICTURES.join(', ')})`];
  return badObject(`${present?.path} has no partner: no ${missing} of the same name`, 'Add it.');
}

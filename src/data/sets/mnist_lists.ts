/**
 * Reads 3D MNIST in the layout of RoMo's authors: list files such as mnist3d_RGBImgs_train_list.txt with one path and
 * label per line (`rgb_imgs/0_RGBImg_train_000001.png 0`), folders of pictures and of .npy clouds. The lists differ in
 * order; pictures and clouds are joined by the object's number. Node only.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quoted } from '../../files/errors.ts';
import { resolveInside } from '../../files/safe_path.ts';
import { plainText } from '../../files/text.ts';
import { RomoError } from '../../tensor/error.ts';
import { badObject, type FoundSet, type FoundSplit } from './found.ts';
import { DIGITS } from './mnist_idx.ts';

/** `mnist3d_RGBImgs_train_list.txt`, `mnist3d_PointCloud_test_list.txt` */
const LIST = /^(?!\.).*(RGBImgs?|GrayImgs?|PointClouds?)_(train|test)_list\.txt$/i;

export const isListFile = (name: string): boolean => LIST.test(name);

export async function findMnistLists(folder: string): Promise<FoundSet> {
  const lists = (await readdir(folder)).filter(isListFile);
  const bad: RomoError[] = [];
  const train = await findSplit(folder, lists, 'train', bad);
  const test = await findSplit(folder, lists, 'test', bad);
  return { ...DIGITS, channels: 3, train, test, bad, notes: [] };
}

interface Entry {
  readonly path: string;
  readonly label: number;
}

async function findSplit(
  folder: string,
  lists: readonly string[],
  split: 'train' | 'test',
  bad: RomoError[],
): Promise<FoundSplit> {
  const listOf = (...kinds: string[]): string => {
    const found = kinds.flatMap((kind) =>
      lists.filter((name) => {
        const [, own, ownSplit] = LIST.exec(name.toLowerCase()) ?? [];
        return own?.startsWith(kind.toLowerCase()) && ownSplit === split;
      }),
    );
    if (found.length > 0) return join(folder, found[0]);
    throw new RomoError(
      'file',
      `mnist3d: ${folder} has no ${split} list for ${kinds.join(' or ')}`,
      `Add mnist3d_${kinds[0]}s_${split}_list.txt.`,
    );
  };
  const imageList = listOf('RGBImg', 'GrayImg');
  const cloudList = listOf('PointCloud');
  const images = await readList(folder, imageList, bad);
  const clouds = await readList(folder, cloudList, bad);
  const partnerless = (entries: Map<string, Entry>, others: Map<string, Entry>, list: string, otherList: string) => {
    for (const [id, { path }] of entries) {
      if (others.has(id)) continue;
      bad.push(badObject(`${list}: ${path} has no partner: ${otherList} lacks object ${id}`, 'Complete the lists.'));
    }
  };
  partnerless(images, clouds, imageList, cloudList);
  partnerless(clouds, images, cloudList, imageList);
  const ids = [...images.keys()].filter((id) => clouds.has(id)).sort();
  const whole = ids.filter((id) => {
    const [image, cloud] = [images.get(id) as Entry, clouds.get(id) as Entry];
    if (image.label === cloud.label) return true;
    const labels = `${imageList} says ${image.label}, ${cloudList} says ${cloud.label}`;
    bad.push(badObject(`the labels of object ${id} differ: ${labels}`, 'Correct the lists.'));
    return false;
  });
  return {
    ids: whole.map((id) => `${split}/${id}`),
    labels: whole.map((id) => images.get(id)?.label as number),
    plan: {
      kind: 'files',
      items: whole.map((id) => ({ image: images.get(id)?.path as string, geometry: clouds.get(id)?.path as string })),
    },
  };
}

/** The objects of a list by id, which is their number as text. */
async function readList(folder: string, list: string, bad: RomoError[]): Promise<Map<string, Entry>> {
  const text = new TextDecoder().decode(plainText(await readFile(list), list));
  const lines = text.split(/\r\n?|\n/).filter((line) => line.trim() !== '');
  const found = new Map<string, Entry>();
  let leftOut: number | null = null; // leading folders of its paths that do not exist here
  for (const [number, line] of lines.entries()) {
    const where = `${list}: line ${number + 1}`;
    const [, path, label] = /^(\S.*?)\s+(\d)$/.exec(line.trim()) ?? [];
    const id = /_(\d+)\.\w+$/.exec(path ?? '')?.[1];
    if (!id) {
      bad.push(badObject(`${where} is not a path and a label: ${quoted(line)}`, 'Write PATH_NUMBER.EXTENSION DIGIT.'));
      continue;
    }
    if (found.has(id)) {
      bad.push(badObject(`${where} names object ${id} again, after ${found.get(id)?.path}`, 'Remove one of them.'));
      continue;
    }
    try {
      leftOut ??= await countLeftOut(folder, path, list);
      const inside = parts(path).slice(leftOut).join('/');
      found.set(id, { path: await resolveInside(folder, inside, where), label: Number(label) });
    } catch (cause) {
      bad.push(cause as RomoError);
    }
  }
  return found;
}

/** Lists written by Windows programs have backslashes. */
const parts = (path: string): string[] => path.split(/[\\/]/).filter((part) => part !== '.' && part !== '');

/** Counts the leading folders to drop. Published paths start at the authors' directory: ./dataset/3dmnist/... */
async function countLeftOut(folder: string, path: string, list: string): Promise<number> {
  const names = parts(path);
  for (let count = 0; count < names.length - 1; count++) {
    const inside = await resolveInside(folder, names.slice(count).join('/'), list).catch(() => null);
    if (inside) return count;
  }
  await resolveInside(folder, names.join('/'), list);
  return 0;
}

/** Lists the files of a folder and its subfolders. Node only. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { RomoError } from '../../tensor/error.ts';
import { badObject } from './found.ts';

export interface WalkedFile {
  /** Relative to the folder, with `/` as the separator, in Unicode's composed form (NFC). */
  readonly name: string;
  /** For opening it, spelled as on disk: macOS decomposes names. */
  readonly path: string;
  /** The same for all links to a file. */
  readonly real: string;
  readonly isLink: boolean;
}

export interface Walked {
  /** in the order of their names */
  readonly files: readonly WalkedFile[];
  /** one error for each subfolder that cannot be read */
  readonly bad: readonly RomoError[];
  /** names of subfolders whose files are not listed: those in `bad`, and links to folders that are listed already */
  readonly unlisted: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Follows links, but reads each real folder once and under its own name, if it has one in the folder: links may form
 * loops. Names that start with a dot are left out.
 * @throws RomoError `file` if the folder itself cannot be read
 */
export async function walk(folder: string): Promise<Walked> {
  const root = await realpath(folder).catch((cause: Error) => {
    throw unreadable(folder, cause);
  });
  const files: WalkedFile[] = [];
  const bad: RomoError[] = [];
  const unlisted: string[] = [];
  const again: string[] = [];
  const broken: string[] = [];
  const seen = new Set<string>();
  const folders: WalkedFile[] = [{ name: '', path: folder, real: root, isLink: false }];
  const links: WalkedFile[] = [];
  for (let place = folders.pop(); place; place = folders.pop() ?? links.shift()) {
    const { name, path, real, isLink } = place;
    // A link to a parent of the folder leads to files that the user did not name.
    if (seen.has(real) || (isLink && isInside(root, real))) {
      again.push(name);
      continue;
    }
    seen.add(real);
    try {
      const content = await contentOf(place);
      files.push(...content.files, ...content.broken);
      broken.push(...content.broken.map((link) => link.name));
      folders.push(...content.folders);
      links.push(...content.links);
    } catch (cause) {
      if (name === '') throw unreadable(path, cause as Error);
      bad.push(badObject(`cannot read the folder ${path}: ${(cause as Error).message}`, 'Change its permissions.'));
      unlisted.push(name);
    }
  }
  const notes = [
    ...(again.length > 0 ? [`folders that are read already are not entered again: ${listed(again)}`] : []),
    ...(broken.length > 0 ? [`links that lead nowhere: ${listed(broken)}`] : []),
  ];
  return { files: files.sort(byName), bad, unlisted: [...unlisted, ...again], notes };
}

/** An object and the files that it consists of. */
export interface OfFiles {
  readonly name: string;
  readonly files: readonly WalkedFile[];
}

/** The same for objects that consist of the same files, through links. */
export const filesKey = ({ files }: OfFiles): string => files.map(({ real }) => real).join('\0');

/** Leaves out objects that consist of the files of another one. The files themselves come before links to them. */
export function withoutCopies<T extends OfFiles>(objects: readonly T[]): { kept: T[]; notes: string[] } {
  const chosen = new Map<string, T>();
  for (const wanted of [false, true]) {
    for (const object of objects) {
      const hasLink = object.files.some(({ isLink }) => isLink);
      if (hasLink === wanted && !chosen.has(filesKey(object))) chosen.set(filesKey(object), object);
    }
  }
  const isKept = (object: T) => chosen.get(filesKey(object)) === object;
  const copies = objects.filter((object) => !isKept(object)).map(({ name }) => name);
  const notes =
    copies.length === 0 ? [] : [`${objectCount(copies.length)} left out, links to files of others: ${listed(copies)}`];
  return { kept: objects.filter(isKept), notes };
}

export const objectCount = (count: number): string => `${count} object${count === 1 ? '' : 's'}`;

/** At most five names, so that a note stays short. */
export function listed(names: readonly string[]): string {
  const sorted = [...names].sort();
  return sorted.slice(0, 5).join(', ') + (sorted.length > 5 ? ` and ${sorted.length - 5} more` : '');
}

const byName = (a: WalkedFile, b: WalkedFile): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

const isInside = (path: string, folder: string): boolean =>
  path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

const unreadable = (folder: string, cause: Error): RomoError =>
  new RomoError('file', `cannot read the folder ${folder}: ${cause.message}`, 'Give the folder of a data set.');

/** The entries of one folder. A broken link counts as a file, so that its reader reports it if it is needed. */
async function contentOf(place: WalkedFile) {
  type Kind = 'files' | 'folders' | 'links' | 'broken';
  const content: Record<Kind, WalkedFile[]> = { files: [], folders: [], links: [], broken: [] };
  for (const entry of await readdir(place.path, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
    const found: WalkedFile = {
      name: `${place.name && `${place.name}/`}${entry.name}`.normalize('NFC'),
      path: join(place.path, entry.name),
      real: join(place.real, entry.name),
      isLink: entry.isSymbolicLink(),
    };
    if (entry.isFile()) content.files.push(found);
    else if (entry.isDirectory()) content.folders.push(found);
    else if (found.isLink) {
      const target = await targetOf(found.path);
      if (!target) content.broken.push(found);
      else if (target.kind !== 'other') content[target.kind].push({ ...found, real: target.real });
    }
  }
  return content;
}

/** @returns null for a link that cannot be followed */
async function targetOf(link: string): Promise<{ real: string; kind: 'files' | 'links' | 'other' } | null> {
  try {
    const [status, real] = [await stat(link), await realpath(link)];
    return { real, kind: status.isDirectory() ? 'links' : status.isFile() ? 'files' : 'other' };
  } catch {
    return null; // the caller lists it
  }
}

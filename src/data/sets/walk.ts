/** Lists the files of a folder and its subfolders. Node only. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RomoError } from '../../tensor/error.ts';

/** Deeper than any data set. Stops loops of symbolic links. */
const DEEPEST = 12;

/**
 * Paths relative to the folder, with `/` as the separator, sorted. Names that start with a dot are left out.
 * @throws RomoError `file` if the folder cannot be read
 */
export async function walk(folder: string): Promise<string[]> {
  const found: string[] = [];
  await visit(folder, '', 0, found);
  return found.sort();
}

async function visit(folder: string, prefix: string, depth: number, found: string[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: Error) => {
    throw new RomoError('file', `cannot read the folder ${folder}: ${cause.message}`, 'Give the folder of a data set.');
  });
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = prefix + entry.name;
    if (entry.isFile()) found.push(path);
    else if (depth < DEEPEST) {
      // Follows links; a broken link is not a file.
      const isFolder =
        entry.isDirectory() || (entry.isSymbolicLink() && (await isFolderLink(join(folder, entry.name))));
      if (isFolder) await visit(join(folder, entry.name), `${path}/`, depth + 1, found);
      else if (entry.isSymbolicLink()) found.push(path);
    }
  }
}

async function isFolderLink(path: string): Promise<boolean> {
  return readdir(path).then(
    () => true,
    () => false,
  );
}

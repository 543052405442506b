/** Paths that a list file names: they may not lead out of the list's folder. Node only. */
import { realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { badFile } from './errors.ts';

/**
 * The real path of a file within a folder.
 * @param folder the folder that must not be left
 * @param path relative to the folder, as the list says it; `/` separates on every system
 * @param list what errors call the list file
 * @throws RomoError `file` where the path is empty, absolute, leads out by `..` or by a symbolic link, or names nothing
 */
export async function resolveInside(folder: string, path: string, list: string): Promise<string> {
  const shown = JSON.stringify(path);
  const fix = `Name files inside ${folder}, relative to it.`;
  if (path.trim() === '' || path.includes('\0')) throw badFile(list, `${shown} is not a path`, fix);
  if (isAbsolute(path) || /^([a-z]:|[\\/])/i.test(path)) throw badFile(list, `the path ${shown} is absolute`, fix);
  const wanted = resolve(folder, path);
  if (!isInside(folder, wanted)) throw badFile(list, `the path ${shown} leads out of ${folder}`, fix);
  let real: string;
  let realFolder: string;
  try {
    [real, realFolder] = await Promise.all([realpath(wanted), realpath(folder)]);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : (cause as Error).message;
    throw badFile(
      list,
      `${shown} cannot be opened in ${folder}: ${reason}`,
      'Correct the list, or put the file there.',
    );
  }
  if (!isInside(realFolder, real)) {
    throw badFile(list, `the path ${shown} leads out of ${folder} by a symbolic link, to ${real}`, fix);
  }
  return real;
}

/** Strictly inside: the folder itself is not a file of it. */
function isInside(folder: string, path: string): boolean {
  const way = relative(resolve(folder), resolve(path));
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

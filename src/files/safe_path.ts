/** Paths from list files, which must not lead out of the list's folder. Node only. */
import { realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { badFile } from './errors.ts';

/**
 * The real path of a file within a folder.
 * @param folder the folder that must contain the file
 * @param path relative to the folder, as given in the list, with `/` as the separator on every system
 * @param list the name of the list file in error messages
 * @throws RomoError `file` if the path is empty, absolute, does not exist, or leads out by `..` or a symbolic link
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
    throw badFile(list, `${shown} cannot be opened in ${folder}: ${reason}`, 'Correct the list, or add the file.');
  }
  if (!isInside(realFolder, real)) {
    throw badFile(list, `the path ${shown} leads out of ${folder} through a symbolic link to ${real}`, fix);
  }
  return real;
}

/** Strictly inside: false for the folder itself. */
function isInside(folder: string, path: string): boolean {
  const way = relative(resolve(folder), resolve(path));
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

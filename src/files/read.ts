/** Reads files from disk, each whole and within a limit. Node only: pages pass bytes to the parsers. */
import { open } from 'node:fs/promises';
import { RomoError } from '../tensor/error.ts';
import { badFile } from './errors.ts';
import { parseGeometry, parserOf } from './formats.ts';
import type { Geometry } from './geometry.ts';
import { type Npz, parseNpz } from './npz.ts';

const LARGEST = 2 ** 30; // no single object, picture or array of a data set is near it

/** @throws RomoError where it is missing, no plain file, or larger than 1 GiB */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path, 'r');
    const status = await file.stat();
    if (!status.isFile()) throw badFile(path, 'is not a file', 'Give the path of a file.');
    if (status.size > LARGEST) throw badFile(path, `has ${status.size} bytes, more than 1 GiB`, 'Give a smaller file.');
    return await file.readFile();
  } catch (cause) {
    if (cause instanceof RomoError) throw cause;
    throw badFile(path, `cannot be read: ${(cause as Error).message}`, 'Check the path and its permissions.');
  }
}

/**
 * `parseGeometry` of a file on disk.
 * @throws RomoError `file`, also where the file cannot be read
 */
export async function readGeometry(path: string): Promise<Geometry> {
  parserOf(path); // refuses a large file of another kind before it is read
  return parseGeometry(await readBytes(path), path);
}

/** @throws RomoError `file` where it cannot be read or is not a .npz file */
export async function readNpz(path: string): Promise<Npz> {
  return parseNpz(await readBytes(path), path);
}

/** Reads whole files from disk, up to a size limit. Node only; browsers pass bytes to the parsers. */
import { open } from 'node:fs/promises';
import { RomoError } from '../tensor/error.ts';
import { badFile } from './errors.ts';
import { parseGeometry, parserOf } from './formats.ts';
import type { Geometry } from './geometry.ts';
import { type Npz, parseNpz } from './npz.ts';

const LARGEST = 2 ** 30; // bytes; far more than any object, picture or array of a data set has
/** Starts the file that stands for a large one until it is fetched. */
const LFS = 'version https://git-lfs.github.com/spec/';

/** @throws RomoError `file` if the file is missing, not a regular file, or larger than 1 GiB */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path, 'r');
    const status = await file.stat();
    if (!status.isFile()) throw badFile(path, 'is not a file', 'Give the path of a file.');
    if (status.size > LARGEST) throw badFile(path, `has ${status.size} bytes, more than 1 GiB`, 'Give a smaller file.');
    const bytes = await file.readFile();
    if (bytes.length < 1024 && bytes.subarray(0, LFS.length).toString('latin1') === LFS) {
      throw badFile(path, 'is only a pointer of Git LFS, not the file itself', 'Run git lfs pull.');
    }
    return bytes;
  } catch (cause) {
    if (cause instanceof RomoError) throw cause;
    throw badFile(path, `cannot be read: ${(cause as Error).message}`, 'Check the path and its permissions.');
  }
}

/**
 * Reads a file from disk and parses it with `parseGeometry`.
 * @throws RomoError `file` as parseGeometry, and if the file cannot be read
 */
export async function readGeometry(path: string): Promise<Geometry> {
  parserOf(path); // rejects an unsupported extension before reading the file
  return parseGeometry(await readBytes(path), path);
}

/** @throws RomoError `file` if it cannot be read or is not an .npz file */
export async function readNpz(path: string): Promise<Npz> {
  return parseNpz(await readBytes(path), path);
}

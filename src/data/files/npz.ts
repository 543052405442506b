/** NumPy's .npz: a zip of .npy arrays. Runs in browsers too. */
import { badFile } from './errors.ts';
import type { NdArray } from './npy.ts';

export interface Npz {
  /** Names of the arrays, without `.npy`, in the order of the file. */
  readonly names: readonly string[];
  /** Unpacks one array. @throws RomoError where there is none of that name, or it is damaged */
  array(name: string): Promise<NdArray>;
}

export function parseNpz(_bytes: Uint8Array, name: string): Npz {
  throw badFile(name, 'npz files are not read yet', '');
}

/** Node only. */
export async function readNpz(path: string): Promise<Npz> {
  const { readBytes } = await import('./read_bytes.ts');
  return parseNpz(await readBytes(path), path);
}

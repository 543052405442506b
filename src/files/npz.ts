/** NumPy's .npz from disk. Node only; pages import ./parse_npz.ts. */
import { type Npz, parseNpz } from './parse_npz.ts';
import { readBytes } from './read_bytes.ts';

export { type Npz, parseNpz } from './parse_npz.ts';

/** @throws RomoError `file` where it cannot be read or is no .npz file */
export async function readNpz(path: string): Promise<Npz> {
  return parseNpz(await readBytes(path), path);
}

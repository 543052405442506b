/**
 * Reads NumPy's .npz, a zip of .npy arrays. Arrays are unpacked on demand. Runs in browsers too.
 * Source: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 4.3.
 */
import { badFile, quoted } from './errors.ts';
import { inflate } from './inflate.ts';
import { type NdArray, parseNpy } from './npy.ts';
import { viewOf } from './scalars.ts';

/** The arrays of an .npz file. */
export interface Npz {
  /** Names of the arrays, without `.npy`, in file order. */
  readonly names: readonly string[];
  /** Unpacks one array. @throws RomoError `file` if there is no array of that name or it is damaged */
  array(name: string): Promise<NdArray>;
}

interface Entry {
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  readonly localHeader: number;
}

const STORED = 0;
const DEFLATED = 8;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;

/**
 * Parses NumPy's .npz.
 * @param name the file name in error messages
 * @throws RomoError `file` if it is not an .npz file, is damaged, or has no array
 */
export function parseNpz(bytes: Uint8Array, name: string): Npz {
  const entries = readDirectory(bytes, name);
  return {
    names: [...entries.keys()],
    async array(array) {
      const entry = entries.get(array);
      if (!entry) {
        const known = [...entries.keys()].slice(0, 16).map(quoted).join(', ');
        throw badFile(name, `has no array ${quoted(array)}`, `Use one of ${known}.`);
      }
      const label = `${name}: array ${quoted(array)}`;
      return parseNpy(await unpack(bytes, entry, label), label);
    },
  };
}

/** Reads the directory near the end of the zip. The end record has its offset; a comment may follow that record. */
function readDirectory(bytes: Uint8Array, name: string): Map<string, Entry> {
  const view = viewOf(bytes);
  let end = bytes.length - END_BYTES;
  while (end >= 0 && end >= bytes.length - END_BYTES - 65_535 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0 || view.getUint32(end, true) !== 0x06054b50) {
    throw badFile(name, 'not an .npz file: it has no zip directory', 'Save it with numpy.savez.');
  }
  const entries = new Map<string, Entry>();
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (at + ENTRY_BYTES > end || view.getUint32(at, true) !== 0x02014b50)
      throw badFile(name, 'its directory is damaged');
    const [nameBytes, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const file = new TextDecoder().decode(bytes.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes));
    if (view.getUint16(at + 8, true) & 1) throw badFile(name, 'is encrypted', 'Save it without a password.');
    if (file.endsWith('.npy')) {
      entries.set(file.slice(0, -4), {
        method: view.getUint16(at + 10, true),
        crc: view.getUint32(at + 16, true),
        packedSize: view.getUint32(at + 20, true),
        size: view.getUint32(at + 24, true),
        localHeader: view.getUint32(at + 42, true),
      });
    }
    at += ENTRY_BYTES + nameBytes + extra + comment;
  }
  if (entries.size === 0) throw badFile(name, 'has no array', 'Save it with numpy.savez.');
  return entries;
}

async function unpack(bytes: Uint8Array, entry: Entry, label: string): Promise<Uint8Array> {
  const { method, crc, packedSize, size, localHeader } = entry;
  const view = viewOf(bytes);
  if (localHeader + LOCAL_BYTES > bytes.length || view.getUint32(localHeader, true) !== 0x04034b50) {
    throw badFile(label, 'the zip directory has a wrong offset');
  }
  const [nameBytes, extra] = [26, 28].map((offset) => view.getUint16(localHeader + offset, true));
  const start = localHeader + LOCAL_BYTES + nameBytes + extra;
  if (start + packedSize > bytes.length) throw badFile(label, 'extends beyond the end of the file');
  const packed = bytes.subarray(start, start + packedSize);
  if (method === DEFLATED) return inflate(packed, size, crc, label);
  if (method !== STORED) throw badFile(label, `uses zip method ${method}`, 'Save it with numpy.savez_compressed.');
  return packed;
}

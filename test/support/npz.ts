/** One float32 array of a NumPy .npz file (a zip of .npy files). */
import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';

/** @param name without `.npy` */
export function readNpz(path: string, name: string): Float32Array {
  const bytes = readFileSync(path);
  // The zip's directory stands at the end: find its end record, then walk its entries.
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  let entry = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = bytes.readUInt16LE(entry + 28);
    if (bytes.toString('latin1', entry + 46, entry + 46 + nameLength) === `${name}.npy`) {
      const local = bytes.readUInt32LE(entry + 42);
      const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
      const packed = bytes.subarray(start, start + bytes.readUInt32LE(entry + 20));
      return parseNpy(bytes.readUInt16LE(entry + 10) === 0 ? packed : inflateRawSync(packed), name);
    }
    entry += 46 + nameLength + bytes.readUInt16LE(entry + 30) + bytes.readUInt16LE(entry + 32);
  }
  throw new Error(`${path} has no array ${name}`);
}

function parseNpy(bytes: Buffer, name: string): Float32Array {
  const headerEnd = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, headerEnd);
  if (!header.includes("'<f4'") || header.includes("'fortran_order': True")) throw new Error(`${name}: ${header}`);
  return new Float32Array(Uint8Array.from(bytes.subarray(headerEnd)).buffer);
}

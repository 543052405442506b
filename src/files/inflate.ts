/** Unpacks DEFLATE data of known size and CRC with the platform's decompressor, which Node and browsers both have. */
import { badFile } from './errors.ts';

/** DEFLATE's limit: a two-bit code can expand to 258 bytes. */
const LARGEST_RATIO = 1032;
const LARGEST_SIZE = 2 ** 30;

/**
 * @param packed raw DEFLATE
 * @param size of the result
 * @param crc CRC-32 of the result
 * @throws RomoError `file` if the size is impossible, or the data or the checksum do not match
 */
export async function inflate(packed: Uint8Array, size: number, crc: number, name: string): Promise<Uint8Array> {
  if (size > LARGEST_RATIO * packed.length || size > LARGEST_SIZE) {
    throw badFile(name, `says that ${packed.length} bytes unpack to ${size}`, 'Save at most 1 GiB per array.');
  }
  // A gzip member is raw DEFLATE with a header before it and CRC and size after it, so the platform checks both.
  const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
  const trailer = new Uint8Array(8);
  new DataView(trailer.buffer).setUint32(0, crc, true);
  new DataView(trailer.buffer).setUint32(4, size, true);
  const result = new Uint8Array(size);
  let length = 0;
  try {
    const stream = new Blob([header, packed as Uint8Array<ArrayBuffer>, trailer]).stream();
    const reader = stream.pipeThrough(new DecompressionStream('gzip')).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (length + part.value.length > size) throw new Error('more bytes than its header says');
      result.set(part.value, length);
      length += part.value.length;
    }
  } catch (cause) {
    throw badFile(name, `cannot be unpacked: ${(cause as Error).message}`);
  }
  if (length !== size) throw badFile(name, `unpacks to ${length} bytes instead of ${size}`);
  return result;
}

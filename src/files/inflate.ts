/** DEFLATE with a known result, by the platform's own decompressor: Node and browsers have it. */
import { badFile } from './errors.ts';

/** DEFLATE's limit: 258 bytes from two bits. */
const LARGEST_RATIO = 1032;
const LARGEST_SIZE = 2 ** 30;

/**
 * @param packed raw DEFLATE
 * @param size of the result
 * @param crc CRC-32 of the result
 * @throws RomoError `file` where the size cannot be, where data or check sum do not fit
 */
export async function inflate(packed: Uint8Array, size: number, crc: number, name: string): Promise<Uint8Array> {
  if (size > LARGEST_RATIO * packed.length || size > LARGEST_SIZE) {
    throw badFile(name, `says that ${packed.length} bytes unpack to ${size}`, 'At most 1 GiB is unpacked.');
  }
  // A gzip member is raw DEFLATE between a header and check sum and size: so the platform checks both.
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
      if (length + part.value.length > size) throw new Error('more bytes than it says');
      result.set(part.value, length);
      length += part.value.length;
    }
  } catch (cause) {
    throw badFile(name, `cannot be unpacked: ${(cause as Error).message}`);
  }
  if (length !== size) throw badFile(name, `unpacks to ${length} bytes instead of ${size}`);
  return result;
}

/** Encodings of text files: UTF-8 with and without a byte order mark, and UTF-16, which Windows programs write. */
import { badFile } from './errors.ts';

/**
 * The text as UTF-8 without a byte order mark. Bytes without signs of UTF-16 are returned as they are, so binary data
 * after a text header stay whole.
 * @throws RomoError `file` if it is UTF-32, or damaged UTF-16
 */
export function plainText(bytes: Uint8Array, name: string): Uint8Array {
  const [a, b, c, d] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return bytes.subarray(3);
  if ((a === 0xff && b === 0xfe && c === 0 && d === 0) || (a === 0 && b === 0 && c === 0xfe && d === 0xff)) {
    throw badFile(name, 'is text in UTF-32', 'Save it as UTF-8.');
  }
  // Without a mark, every second byte of plain letters and digits is zero.
  const little = (a === 0xff && b === 0xfe) || (a > 0 && b === 0 && c > 0 && d === 0);
  const big = (a === 0xfe && b === 0xff) || (a === 0 && b > 0 && c === 0 && d > 0);
  if (!little && !big) return bytes;
  try {
    const text = new TextDecoder(little ? 'utf-16le' : 'utf-16be', { fatal: true }).decode(bytes);
    return new TextEncoder().encode(text);
  } catch {
    throw badFile(name, 'is text in UTF-16, and damaged', 'Save it as UTF-8.');
  }
}

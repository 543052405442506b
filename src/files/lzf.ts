/**
 * LZF, the compression inside PCD files. Source: M. Lehmann, LibLZF, the format's description. A control byte below 32
 * is followed by that many bytes and one more; others copy from what came before: 3 bits of length, 13 of distance.
 */

/** Not more than 264 bytes come out of the 3 of the longest copy. */
export const LZF_LARGEST_RATIO = 88;

/** @returns exactly `size` bytes, or null where the data are damaged. The caller has checked `size` against the ratio. */
export function decompressLzf(packed: Uint8Array, size: number): Uint8Array | null {
  const result = new Uint8Array(size);
  let from = 0;
  let to = 0;
  while (from < packed.length) {
    const control = packed[from++];
    if (control < 32) {
      const length = control + 1;
      if (from + length > packed.length || to + length > size) return null;
      result.set(packed.subarray(from, from + length), to);
      from += length;
      to += length;
    } else {
      let length = (control >> 5) + 2;
      if (length === 9) length += packed[from++];
      const source = to - 1 - ((control & 31) << 8) - packed[from++];
      if (from > packed.length || source < 0 || to + length > size) return null;
      // Byte by byte: a copy may overlap what it writes, that is how runs are stored.
      for (let i = 0; i < length; i++) result[to + i] = result[source + i];
      to += length;
    }
  }
  return to === size ? result : null;
}

/**
 * LZF, the compression inside PCD files. Source: M. Lehmann, LibLZF, format description. A control byte n < 32 is
 * followed by n + 1 literal bytes; any other starts a copy of earlier output, with 3 bits of length and 13 of distance.
 */

/** The longest copy expands 3 bytes to 264. */
export const LZF_LARGEST_RATIO = 88;

/** @returns exactly `size` bytes, or null if the data are damaged. Callers must check `size` against the ratio. */
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
      // Byte by byte, since a copy may overlap its own output; runs are stored that way.
      for (let i = 0; i < length; i++) result[to + i] = result[source + i];
      to += length;
    }
  }
  return to === size ? result : null;
}

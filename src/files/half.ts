/** IEEE 754 halves: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits. */

/** The value of a half. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

let values: Float32Array | null = null;

/** The values of halves, into `out`: the same memory, if the halves are its second half. */
export function fromHalves(halves: Uint16Array, out: Float32Array): void {
  values ??= Float32Array.from({ length: 65_536 }, (_, bits) => halfToNumber(bits));
  for (let i = 0; i < halves.length; i++) out[i] = values[halves[i]];
}

/** The nearest halves; of two equally near the even one. From 65,520 on: infinity. */
export function toHalves(numbers: Float32Array): Uint16Array {
  const sum = new Float32Array(1);
  const sumBits = new Uint32Array(sum.buffer);
  const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  return Uint16Array.from(bits, (word, i) => {
    const sign = (word >>> 16) & 0x8000;
    const size = word & 0x7fffffff;
    if (size > 0x7f800000) return sign | 0x7e00; // NaN
    if (size >= 0x477ff000) return sign | 0x7c00; // infinity
    // The exponent has another bias, and 13 bits of the fraction are rounded away.
    if (size >= 0x38800000) return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
    // Below 2^-14, halves are multiples of 2^-24. So are f32 from 1/2 to 1: the sum is rounded as needed.
    sum[0] = 0.5 + Math.abs(numbers[i]);
    return sign | (sumBits[0] - 0x3f000000);
  });
}

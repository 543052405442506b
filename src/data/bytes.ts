/** Images are kept as bytes between uses: a quarter of the memory, and no less than a picture file holds. */

/** Values 0..1 to 0..255, rounded. */
export function toBytes(image: Float32Array): Uint8Array {
  return Uint8Array.from(image, (value) => Math.floor(Math.min(Math.max(value, 0), 1) * 255 + 0.5));
}

/** 0..255 to 0..1. */
export function fromBytes(bytes: Uint8Array): Float32Array {
  return Float32Array.from(bytes, (value) => value / 255);
}

/** Images are kept as bytes between uses: a quarter of the memory, and no less than a picture file holds. */

/** Values 0..1 to 0..255, rounded. */
export function toBytes(image: Float32Array): Uint8Array {
  const bytes = new Uint8Array(image.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(Math.min(Math.max(image[i], 0), 1) * 255 + 0.5);
  return bytes;
}

/** 0..255 to 0..1. */
export function fromBytes(bytes: Uint8Array): Float32Array {
  const image = new Float32Array(bytes.length);
  for (let i = 0; i < image.length; i++) image[i] = bytes[i] / 255;
  return image;
}

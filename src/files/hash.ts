/** A short hash of content, which tells whether it has changed. Node only. */
import { createHash } from 'node:crypto';

/** The first 128 bits of the SHA-256 of all parts, hexadecimal. */
export function contentHash(parts: readonly (string | NodeJS.TypedArray)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 32);
}

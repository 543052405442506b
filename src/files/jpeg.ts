/**
 * Repairs faults in the headers of JPEG files that cost no pixel, as some phones and programs write them. The decoder then
 * reads them without warnings, so that its warnings about damaged pixels still count as errors.
 * Source: ITU-T T.81, annex B.
 */

const MARKER = 0xff;
const [SOI, EOI, SOS, APP0] = [0xd8, 0xd9, 0xda, 0xe0];
/** Baseline and extended sequential; their scans have no choice of spectral selection and approximation. */
const SEQUENTIAL = [0xc0, 0xc1];

/**
 * Mended are scan parameters of sequential files, which must be 0, 63 and 0; an unknown version of JFIF; and bytes between
 * segments.
 * @returns the same bytes if nothing needs to be mended, or if the file is not a JPEG
 */
export function mendedJpeg(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== MARKER || bytes[1] !== SOI) return bytes;
  const mended = new Uint8Array(bytes); // not slice(): a Node Buffer would share its memory
  const parts: Uint8Array[] = [];
  let isSequential = false;
  let isMended = false;
  const set = (at: number, value: number) => {
    if (mended[at] === value) return;
    mended[at] = value;
    isMended = true;
  };
  let at = 0;
  while (at + 1 < bytes.length) {
    const begin = nextMarker(bytes, at);
    if (begin > at) isMended = true;
    const code = bytes[begin + 1];
    const isAlone = code === SOI || begin + 4 > bytes.length;
    let end = begin + 2;
    if (!isAlone && code !== EOI) end += 256 * bytes[end] + bytes[end + 1];
    if (code === EOI || end > bytes.length) {
      parts.push(mended.subarray(begin));
      break;
    }
    if (SEQUENTIAL.includes(code)) isSequential = true;
    if (code === APP0 && String.fromCharCode(...bytes.subarray(begin + 4, begin + 9)) === 'JFIF\0') set(begin + 9, 1);
    if (code === SOS) {
      if (isSequential) [0, 63, 0].forEach((value, i) => void set(end - 3 + i, value));
      end = dataEnd(bytes, end);
    }
    parts.push(mended.subarray(begin, end));
    at = end;
  }
  if (!isMended) return bytes;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let length = 0;
  for (const part of parts) {
    whole.set(part, length);
    length += part.length;
  }
  return whole;
}

/** Offset of the next marker, at or after `at`; the end of the file if there is none. */
function nextMarker(bytes: Uint8Array, at: number): number {
  for (let found = bytes.indexOf(MARKER, at); found >= 0; found = bytes.indexOf(MARKER, found + 1)) {
    if (bytes[found + 1] > 0 && bytes[found + 1] < MARKER) return found;
  }
  return bytes.length;
}

/** End of the coded data that begin at `at`: the next marker that is not a restart marker. */
function dataEnd(bytes: Uint8Array, at: number): number {
  let end = nextMarker(bytes, at);
  while (end < bytes.length && bytes[end + 1] >= 0xd0 && bytes[end + 1] <= 0xd7) end = nextMarker(bytes, end + 1);
  return end;
}

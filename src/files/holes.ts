/**
 * One rule for holes in clouds, for all formats. Depth cameras write a point for each pixel. Where they see nothing,
 * it has a coordinate that is not a number or infinite, or lies at the origin. Padding of arrays to a fixed number of
 * points does the same.
 */
import { badFile } from './errors.ts';

const LARGEST = 3.4028234663852886e38; // of float32; larger numbers come from damaged files

/** Index of the first coordinate that is no hole's, but too large; -1 if there is none. */
export const tooLarge = (positions: Float64Array): number =>
  positions.findIndex(
    (value) => Math.abs(value) > LARGEST && value !== Number.POSITIVE_INFINITY && -value !== Number.POSITIVE_INFINITY,
  );

/** @param index of a coordinate in the positions */
export function notFinite(index: number, name: string): Error {
  const what = `coordinate ${'xyz'[index % 3]} of vertex ${Math.floor(index / 3)} (counted from 0)`;
  return badFile(name, `${what} is not a finite 32-bit number`, 'Remove such vertices, or export the object again.');
}

/**
 * Leaves out holes: points with a coordinate that is NaN or infinite, and points at exactly 0 0 0 if there are several.
 * @param positions [P, 3]
 * @throws RomoError `file` if there are no points, all are holes, or a coordinate exceeds float32
 */
export function withoutHoles(positions: Float64Array, name: string): { positions: Float64Array; holes: number } {
  if (positions.length === 0) throw badFile(name, 'has no vertices', 'Export the object again, with its points.');
  const large = tooLarge(positions);
  if (large >= 0) throw notFinite(large, name);
  const isOrigin = (at: number) => positions[at] === 0 && positions[at + 1] === 0 && positions[at + 2] === 0;
  const isKnown = (at: number) => Number.isFinite(positions[at] + positions[at + 1] + positions[at + 2]);
  let origins = 0;
  let unknown = 0;
  for (let at = 0; at < positions.length; at += 3) {
    if (isOrigin(at)) origins++;
    else if (!isKnown(at)) unknown++;
  }
  const holes = unknown + (origins > 1 ? origins : 0);
  if (holes === 0) return { positions, holes };
  if (3 * holes === positions.length) {
    const what = `all of its ${holes} points are holes: not a number, or at 0 0 0`;
    throw badFile(name, what, 'Export the object again, with its points.');
  }
  const kept = new Float64Array(positions.length - 3 * holes);
  let end = 0;
  for (let at = 0; at < positions.length; at += 3) {
    if (!isKnown(at) || (origins > 1 && isOrigin(at))) continue;
    kept.set(positions.subarray(at, at + 3), end);
    end += 3;
  }
  return { positions: kept, holes };
}

/** Chooses the mutants to try: a seeded draw, spread over files by size and evenly over kinds of change. */
import { KINDS } from './sites.mjs';

/** The number of mutants that even the smallest file gets. */
const LEAST_PER_FILE = 4;

/**
 * How many mutants each file gets: a minimum, plus a share in proportion to its lines.
 * @param {Map<string, string>} sources text of each file by its name
 * @param {number} count
 * @returns {Map<string, number>}
 */
export function quotas(sources, count) {
  const lines = new Map([...sources].map(([file, source]) => [file, source.split('\n').length]));
  const all = [...lines.values()].reduce((sum, n) => sum + n, 0);
  const rest = Math.max(0, count - LEAST_PER_FILE * sources.size);
  return new Map([...lines].map(([file, n]) => [file, LEAST_PER_FILE + Math.ceil((rest * n) / all)]));
}

/**
 * Mutants of one file in random order, the same for the same seed, file name and text. The kinds take turns. The turn passes
 * to the next kind once the caller has accepted a mutant; the place of that mutant is not changed again.
 */
export function* shuffled(mutants, file, seed) {
  const random = randomNumbers(hash(`${seed} ${file}`));
  const heaps = KINDS.map((kind) => mutants.filter((mutant) => mutant.kind === kind));
  const taken = new Set();
  const placeOf = ({ scope, line, change }) => `${scope} ${line} ${change.split(' => ')[0]}`;
  while (heaps.some((heap) => heap.length > 0)) {
    for (const heap of heaps) {
      let accepted = false;
      while (heap.length > 0 && !accepted) {
        const [mutant] = heap.splice(Math.floor(random() * heap.length), 1);
        if (taken.has(placeOf(mutant))) continue;
        accepted = (yield mutant) === true;
        if (accepted) taken.add(placeOf(mutant));
      }
    }
  }
}

/** FNV-1a over the UTF-16 code units. */
function hash(text) {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

/** Numbers in [0, 1): xorshift32 (Marsaglia 2003). */
function randomNumbers(seed) {
  let state = seed || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

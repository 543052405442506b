/**
 * Counter-based random numbers: threefry2x32 with 20 rounds.
 *
 * A block of two 32-bit words is a pure function of a key and a counter, so any number of a stream can be computed
 * without those before it: on the CPU, or by a kernel with one thread per number, with the same bits.
 * Source: Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (Random123).
 */
import { RomoError } from './error.ts';
import { cos, log } from './exact.ts';

const PARITY = 0x1bd11bda;
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24];
const TWO_PI = 6.283185307179586;

// Counters that derive keys have one of these bits set in their high word; counters of draws never get that far.
const NUMBER_TAG = 0x40000000;
const STRING_TAG = 0x80000000;

/** One block: two 32-bit words from the key (key0, key1) and the counter (counter0, counter1), all unsigned. */
export function threefry2x32(key0: number, key1: number, counter0: number, counter1: number): [number, number] {
  const keys = [key0 | 0, key1 | 0, PARITY ^ key0 ^ key1];
  let x0 = (counter0 + keys[0]) | 0;
  let x1 = (counter1 + keys[1]) | 0;
  for (let round = 0; round < 20; round++) {
    const rotation = ROTATIONS[round % 8];
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << rotation) | (x1 >>> (32 - rotation))) ^ x0;
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      x0 = (x0 + keys[injection % 3]) | 0;
      x1 = (x1 + keys[(injection + 1) % 3] + injection) | 0;
    }
  }
  return [x0 >>> 0, x1 >>> 0];
}

/** 32-bit FNV-1a hash of bytes, or of a text's UTF-8 bytes. */
export function fnv1a32(content: string | Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of typeof content === 'string' ? new TextEncoder().encode(content) : content)
    hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/**
 * The key of the stream that is named by a seed and a path, such as `streamKey(seed, 'shapes', 'train', 17)`.
 * Each element of the path makes a new key out of the key so far; `[1, 2]`, `[2, 1]` and `['1', 2]` differ.
 * Seed and numbers are whole, from 0 to 2^53 - 1 in the seed and to 2^32 - 1 in the path.
 */
export function streamKey(seed: number, ...stream: (number | string)[]): [number, number] {
  checkWhole('seed', seed, Number.MAX_SAFE_INTEGER);
  let key: [number, number] = [seed >>> 0, Math.floor(seed / 2 ** 32)];
  for (const element of stream) {
    if (typeof element === 'string') {
      key = threefry2x32(key[0], key[1], fnv1a32(element), STRING_TAG);
    } else {
      checkWhole('stream number', element, 0xffffffff);
      key = threefry2x32(key[0], key[1], element, NUMBER_TAG);
    }
  }
  return key;
}

/** A stream of random numbers: the same seed and path give the same numbers, and nothing is shared between streams. */
export class Random {
  readonly key: readonly [number, number];
  private counter = 0;
  private block: [number, number] = [0, 0];

  /** @param stream a path of whole numbers and texts that names this stream, see `streamKey` */
  constructor(seed: number, ...stream: (number | string)[]) {
    this.key = streamKey(seed, ...stream);
  }

  /** The next 32 bits, unsigned: word n of the stream is word n % 2 of the block whose counter is floor(n / 2). */
  bits(): number {
    const second = this.counter % 2;
    if (second === 0) {
      const index = this.counter / 2;
      this.block = threefry2x32(this.key[0], this.key[1], index >>> 0, Math.floor(index / 2 ** 32));
    }
    this.counter += 1;
    return this.block[second];
  }

  /** Uniform in low <= u < high, from 24 bits: with the default range each value is exact in f32. */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * ((this.bits() >>> 8) / 2 ** 24);
  }

  /** Uniform whole number 0 <= i < n, without bias; n from 1 to 2^32. */
  integer(n: number): number {
    if (!(Number.isInteger(n) && n >= 1 && n <= 2 ** 32)) {
      const fix = 'Give a whole number from 1 to 2^32';
      throw new RomoError('range', `Random.integer: invalid number of choices ${n}`, fix);
    }
    // The words from `accepted` on would make the lower numbers a little more frequent: draw again.
    const accepted = 2 ** 32 - (2 ** 32 % n);
    let word = this.bits();
    while (word >= accepted) word = this.bits();
    return word % n;
  }

  /** Standard normal (Box-Muller; takes two words, uses one of the pair). */
  normal(): number {
    const radius = Math.sqrt(-2 * log((this.bits() + 1) / 2 ** 32));
    return radius * cos((TWO_PI * this.bits()) / 2 ** 32);
  }

  /** The numbers 0..n-1 in random order (Fisher-Yates). */
  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, index) => index);
    for (let last = n - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      const value = order[last];
      order[last] = order[other];
      order[other] = value;
    }
    return order;
  }
}

function checkWhole(what: string, value: number, largest: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= largest) return;
  throw new RomoError('range', `Random: ${what} ${value} is not valid`, `Give a whole number from 0 to ${largest}`);
}

/**
 * sin, cos, exp and log with the same bits in every engine.
 *
 * `Math.sin` and the like may differ in the last bit between JavaScript engines, which would give one seed different data
 * and different initial weights. This file uses only + - * / (correctly rounded by IEEE 754, hence the same
 * everywhere), Math.floor and bit access. The argument is first reduced to a short interval; then a Taylor series is
 * summed until its next term is below half a unit in the last place. Relative error below 1e-15 (sin and cos: 1e-15
 * absolute, for |x| up to 1e5).
 */
import { RomoError } from './error.ts';

// pi/2 in three parts: the first two have few enough bits that a product with an integer below 2^20 is exact.
const HALF_PI_HIGH = 1.5707963267341256;
const HALF_PI_MIDDLE = 6.077100506303966e-11;
const HALF_PI_LOW = 2.0222662487959506e-21;
const LARGEST_ANGLE = 1e5;

// ln 2 in two parts, the first with 32 bits: a product with an exponent is exact.
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

const word = new DataView(new ArrayBuffer(8));

/** Sine of x radians. Throws if |x| exceeds 1e5 or x is not finite. */
export function sin(x: number): number {
  const [quadrant, rest] = reduceAngle(x, 'sin');
  const value = quadrant % 2 === 0 ? sinSeries(rest) : cosSeries(rest);
  return quadrant < 2 ? value : -value;
}

/** Cosine of x radians. Throws if |x| exceeds 1e5 or x is not finite. */
export function cos(x: number): number {
  const [quadrant, rest] = reduceAngle(x, 'cos');
  const value = quadrant % 2 === 0 ? cosSeries(rest) : sinSeries(rest);
  return quadrant === 0 || quadrant === 3 ? value : -value;
}

/** e to the power of x; 0 below about -745.2, Infinity above about 709.8. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 709.79) return Number.POSITIVE_INFINITY;
  if (x < -745.2) return 0;
  const exponent = Math.floor(x / (LN2_HIGH + LN2_LOW) + 0.5);
  const rest = x - exponent * LN2_HIGH - exponent * LN2_LOW; // |rest| <= 0.35
  let sum = 1;
  for (let term = 14; term >= 1; term--) sum = 1 + (rest * sum) / term;
  // Two factors, because 2^exponent alone may be outside the range although the product is inside.
  const half = Math.floor(exponent / 2);
  return sum * powerOfTwo(half) * powerOfTwo(exponent - half);
}

/** Natural logarithm; -Infinity at 0, NaN below. */
export function log(x: number): number {
  if (Number.isNaN(x) || x < 0) return Number.NaN;
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (x === Number.POSITIVE_INFINITY) return x;
  const subnormal = x < 2.2250738585072014e-308;
  word.setFloat64(0, subnormal ? x * 2 ** 54 : x);
  const high = word.getUint32(0);
  let exponent = ((high >>> 20) & 0x7ff) - 1023 - (subnormal ? 54 : 0);
  word.setUint32(0, (high & 0x000fffff) | 0x3ff00000);
  let mantissa = word.getFloat64(0); // 1 <= mantissa < 2
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent += 1;
  }
  // ln m = 2 artanh(f), f = (m - 1) / (m + 1), |f| <= 0.172
  const f = (mantissa - 1) / (mantissa + 1);
  const square = f * f;
  let sum = 0;
  for (let odd = 23; odd >= 3; odd -= 2) sum = square * (1 / odd + sum);
  return exponent * LN2_HIGH + (2 * f + (2 * f * sum + exponent * LN2_LOW));
}

/** The quadrant (0..3) of the nearest multiple of pi/2 and the remainder, |rest| <= pi/4. */
function reduceAngle(x: number, name: string): [number, number] {
  if (!(x >= -LARGEST_ANGLE && x <= LARGEST_ANGLE)) {
    throw new RomoError('range', `${name}: the angle ${x} is outside -1e5 to 1e5`, 'Reduce it modulo 2 pi first.');
  }
  const turns = Math.floor(x / (HALF_PI_HIGH + HALF_PI_MIDDLE) + 0.5);
  const rest = x - turns * HALF_PI_HIGH - turns * HALF_PI_MIDDLE - turns * HALF_PI_LOW;
  return [turns - 4 * Math.floor(turns / 4), rest];
}

function sinSeries(x: number): number {
  const square = x * x;
  let sum = 0;
  for (let n = 18; n >= 2; n -= 2) sum = (-square * (1 + sum)) / (n * (n + 1));
  return x + x * sum;
}

function cosSeries(x: number): number {
  const square = x * x;
  let sum = 0;
  for (let n = 19; n >= 3; n -= 2) sum = (-square * (1 + sum)) / (n * (n + 1));
  return 1 - (square / 2) * (1 + sum);
}

/** 2^exponent, exactly, for -1022 <= exponent <= 1023. */
function powerOfTwo(exponent: number): number {
  word.setUint32(0, (exponent + 1023) << 20);
  word.setUint32(4, 0);
  return word.getFloat64(0);
}

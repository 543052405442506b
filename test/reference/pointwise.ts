/** Pointwise ops in float64, by name. */

export const unary: Readonly<Record<string, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  relu: (x) => Math.max(x, 0),
  exp: Math.exp,
  log: Math.log,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  sqrt: Math.sqrt,
  square: (x) => x * x,
};

export const binary: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
};

/** One operand and a constant. */
export const withConstant: Readonly<Record<string, (x: number, constant: number) => number>> = {
  scale: (x, factor) => x * factor,
  addScalar: (x, value) => x + value,
  leakyRelu: (x, slope) => (x > 0 ? x : slope * x),
};

/** x [rows, channels] + bias [channels] */
export function addBias(x: ArrayLike<number>, bias: ArrayLike<number>): Float64Array {
  return Float64Array.from(x, (value, i) => value + bias[i % bias.length]);
}

export function sum(x: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < x.length; i++) total += x[i];
  return total;
}

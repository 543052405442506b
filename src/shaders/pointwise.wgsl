// Elementwise functions. The override OP picks one; the compiler drops the rest. The codes are the positions in
// the tables of autograd/pointwise.ts (unary) and autograd/elementary.ts (binary).

override OP: u32 = 0;

// One number per invocation, or four side by side where the counts are multiples of 4: `kernelPair` replaces this type.
alias Value = f32;
alias Values = u32; // a count of Value: `kernelPair` divides it by 4

struct Sizes {
  count: Values,
  period: Values, // length of y where it repeats along x: all of x, its channels, or 1
  value: f32, // the scalar of scale, addScalar, leakyRelu, fill
}

@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read> y: array<Value>;
@group(0) @binding(2) var<storage, read> grad: array<Value>;
@group(0) @binding(3) var<storage, read_write> out: array<Value>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

fn unaryOf(v: Value) -> Value {
  switch (OP) {
    case 0u: { return -v; }
    case 1u: { return exp(v); }
    case 2u: { return log(v); }
    case 3u: { return sqrt(v); }
    case 4u: { return v * v; }
    case 5u: { return tanh(clamp(v, Value(-15.0), Value(15.0))); } // past 15 tanh is 1 in f32; some drivers overflow there
    case 6u: { return 1.0 / (1.0 + exp(-max(v, Value(-80.0)))); }
    case 7u: { return max(v, Value()); }
    case 8u: { return select(sizes.value * v, v, v > Value()); }
    case 9u: { return sizes.value * v; }
    case 10u: { return v + sizes.value; }
    case 11u: { return abs(v); }
    default: {}
  }
  return Value(sizes.value);
}

// v is the input, f the value of the function there.
fn derivativeOf(v: Value, f: Value) -> Value {
  switch (OP) {
    case 0u: { return Value(-1.0); }
    case 1u: { return f; }
    case 2u: { return 1.0 / v; }
    case 3u: { return 0.5 / f; }
    case 4u: { return 2.0 * v; }
    case 5u: { return 1.0 - f * f; }
    case 6u: { return f * (1.0 - f); }
    case 7u: { return select(Value(), Value(1.0), v > Value()); }
    case 8u: { return select(Value(sizes.value), Value(1.0), v > Value()); }
    case 9u: { return Value(sizes.value); }
    case 10u: { return Value(1.0); }
    case 11u: { return sign(v); }
    default: {}
  }
  return Value();
}

fn binaryOf(v: Value, w: Value) -> Value {
  switch (OP) {
    case 0u: { return v + w; }
    case 1u: { return v - w; }
    case 2u: { return v * w; }
    default: {}
  }
  return v / w;
}

@compute @workgroup_size(64) fn unary(launch: Launch) {
  let i = indexOf(launch);
  if (i < sizes.count) {
    out[i] = unaryOf(x[i]);
  }
}

@compute @workgroup_size(64) fn unaryGradient(launch: Launch) {
  let i = indexOf(launch);
  if (i < sizes.count) {
    out[i] = grad[i] * derivativeOf(x[i], y[i]);
  }
}

@compute @workgroup_size(64) fn binary(launch: Launch) {
  let i = indexOf(launch);
  if (i < sizes.count) {
    out[i] = binaryOf(x[i], y[i % sizes.period]);
  }
}

@compute @workgroup_size(64) fn fill(launch: Launch) {
  let i = indexOf(launch);
  if (i < sizes.count) {
    out[i] = Value(sizes.value);
  }
}

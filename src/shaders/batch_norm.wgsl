// Batch normalisation of a matrix [rows, channels].
//
// `moments` gives mean and sum of squared deviations of a chunk of rows, around the chunk's first row so that a large mean
// costs no digits; `statistics` joins the chunks (Chan, Golub, LeVeque 1979) and updates the running statistics.

// One channel per invocation, or four side by side where channels are a multiple of 4: `kernelPair` replaces this type.
alias Value = f32;
alias Values = u32; // a count of Value: `kernelPair` divides it by 4

struct Sizes {
  rows: u32,
  channels: Values,
  chunk: u32, // rows per invocation of moments and gradientSums
  chunks: u32,
  epsilon: f32,
  momentum: f32,
  slope: f32, // of the activation below zero: 1 none, 0 ReLU
  training: u32,
  total: f32, // rows of the whole batch; `rows` may be a part of them
}

struct Moment {
  mean: Value,
  squares: Value, // sum of squared deviations
}

struct Statistic {
  mean: Value,
  inverse: Value, // 1 / standard deviation
}

@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read> gamma: array<Value>;
@group(0) @binding(2) var<storage, read> beta: array<Value>;
@group(0) @binding(3) var<storage, read_write> out: array<Value>;
@group(0) @binding(4) var<storage, read_write> momentsOut: array<Moment>; // [chunks, channels]
@group(0) @binding(5) var<storage, read> momentsIn: array<Moment>;
@group(0) @binding(6) var<storage, read_write> statisticsOut: array<Statistic>; // [channels]
@group(0) @binding(7) var<storage, read> statisticsIn: array<Statistic>;
@group(0) @binding(8) var<storage, read_write> runningMean: array<Value>;
@group(0) @binding(9) var<storage, read_write> runningVar: array<Value>;
@group(0) @binding(10) var<storage, read> residual: array<Value>;
@group(0) @binding(11) var<storage, read> grad: array<Value>;
@group(0) @binding(12) var<storage, read_write> gammaSums: array<Value>; // [chunks, channels]: grad times normalised x
@group(0) @binding(13) var<storage, read_write> betaSums: array<Value>; // [chunks, channels]: grad
@group(0) @binding(14) var<storage, read> gammaGrad: array<Value>;
@group(0) @binding(15) var<storage, read> betaGrad: array<Value>;
@group(0) @binding(16) var<uniform> sizes: Sizes;

override RESIDUAL: u32 = 0; // 1: a residual is added before the activation

@compute @workgroup_size(64) fn moments(launch: Launch) {
  let i = indexOf(launch);
  if (i >= sizes.chunks * sizes.channels) {
    return;
  }
  let channel = i % sizes.channels;
  let start = i / sizes.channels * sizes.chunk;
  let end = min(sizes.rows, start + sizes.chunk);
  let origin = x[start * sizes.channels + channel];
  var sum = Value();
  var squares = Value();
  for (var row = start; row < end; row++) {
    let d = x[row * sizes.channels + channel] - origin;
    sum += d;
    squares += d * d;
  }
  let count = f32(end - start);
  momentsOut[i] = Moment(origin + sum / count, max(Value(), squares - sum * sum / count));
}

@compute @workgroup_size(64) fn statistics(launch: Launch) {
  let channel = indexOf(launch);
  if (channel >= sizes.channels) {
    return;
  }
  var mean = Value();
  var squares = Value();
  var count = 0.0;
  for (var chunk = 0u; chunk < sizes.chunks; chunk++) {
    let part = momentsIn[chunk * sizes.channels + channel];
    let size = f32(min(sizes.rows, (chunk + 1u) * sizes.chunk) - chunk * sizes.chunk);
    let d = part.mean - mean;
    let total = count + size;
    mean += d * (size / total);
    squares += part.squares + d * d * (count * (size / total));
    count = total;
  }
  statisticsOut[channel] = Statistic(mean, inverseSqrt(squares / count + Value(sizes.epsilon)));
  let unbiased = squares / max(count - 1.0, 1.0);
  runningMean[channel] += sizes.momentum * (mean - runningMean[channel]);
  runningVar[channel] += sizes.momentum * (unbiased - runningVar[channel]);
}

// In evaluation the running statistics replace those of the batch.
@compute @workgroup_size(64) fn runningStatistics(launch: Launch) {
  let channel = indexOf(launch);
  if (channel < sizes.channels) {
    statisticsOut[channel] = Statistic(runningMean[channel], inverseSqrt(runningVar[channel] + Value(sizes.epsilon)));
  }
}

fn normalised(i: u32) -> Value {
  let s = statisticsIn[i % sizes.channels];
  return (x[i] - s.mean) * s.inverse;
}

fn activated(v: Value) -> Value {
  return select(sizes.slope * v, v, v > Value());
}

@compute @workgroup_size(64) fn apply(launch: Launch) {
  let i = indexOf(launch);
  if (i < sizes.rows * sizes.channels) {
    let channel = i % sizes.channels;
    var v = gamma[channel] * normalised(i) + beta[channel];
    if (RESIDUAL == 1u) {
      v += residual[i];
    }
    out[i] = activated(v);
  }
}

// grad of the activation's input. x is the activation's output here: it has the sign of the input.
@compute @workgroup_size(64) fn activationGradient(launch: Launch) {
  let i = indexOf(launch);
  if (i < sizes.rows * sizes.channels) {
    out[i] = select(sizes.slope * grad[i], grad[i], x[i] > Value());
  }
}

// The gradient before the activation. Where a residual was added, `activationGradient` has gone before, and slope is 1.
fn gradientBefore(i: u32, normal: Value) -> Value {
  let channel = i % sizes.channels;
  let g = grad[i];
  return select(sizes.slope * g, g, gamma[channel] * normal + beta[channel] > Value());
}

@compute @workgroup_size(64) fn gradientSums(launch: Launch) {
  let i = indexOf(launch);
  if (i >= sizes.chunks * sizes.channels) {
    return;
  }
  let channel = i % sizes.channels;
  let start = i / sizes.channels * sizes.chunk;
  let end = min(sizes.rows, start + sizes.chunk);
  let s = statisticsIn[channel];
  var gammaSum = Value();
  var betaSum = Value();
  for (var row = start; row < end; row++) {
    let at = row * sizes.channels + channel;
    let normal = (x[at] - s.mean) * s.inverse;
    let g = gradientBefore(at, normal);
    gammaSum += g * normal;
    betaSum += g;
  }
  gammaSums[i] = gammaSum;
  betaSums[i] = betaSum;
}

@compute @workgroup_size(64) fn inputGradient(launch: Launch) {
  let i = indexOf(launch);
  if (i >= sizes.rows * sizes.channels) {
    return;
  }
  let channel = i % sizes.channels;
  let scale = gamma[channel] * statisticsIn[channel].inverse;
  let normal = normalised(i);
  var g = gradientBefore(i, normal);
  if (sizes.training == 1u) {
    g -= (betaGrad[channel] + normal * gammaGrad[channel]) / sizes.total;
  }
  out[i] = scale * g;
}

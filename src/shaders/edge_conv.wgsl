// EdgeConv without edges. An edge's value is P_j + Q_i (see autograd/edge_conv.ts), so whatever is wanted of all edges
// of a point is a walk over its k neighbours that reads P_j and never writes an edge.

// One channel per invocation, or four side by side where channels are a multiple of 4: `kernelPair` replaces these types.
alias Value = f32;
alias Index = u32;
alias Values = u32; // a count of Value: `kernelPair` divides it by 4

struct Sizes {
  batch: u32,
  points: u32,
  channels: Values,
  k: u32,
  slope: f32,
  chunk: u32, // points per invocation of the statistics
  chunks: u32,
  training: u32,
}

struct Moment {
  mean: Value,
  squares: Value, // sum of squared deviations
}

struct Statistic {
  mean: Value,
  inverse: Value, // 1 / standard deviation
}

struct Coefficient {
  scale: Value,
  offset: Value,
  tilt: Value,
  mean: Value,
}

@group(0) @binding(0) var<storage, read> pq: array<Value>; // [batch, points, 2 channels]: P, then Q
@group(0) @binding(1) var<storage, read> neighbours: array<i32>; // [batch, points, k], within the cloud
@group(0) @binding(2) var<storage, read> gamma: array<Value>;
@group(0) @binding(3) var<storage, read> beta: array<Value>;
@group(0) @binding(4) var<storage, read_write> winnersOut: array<Index>; // [batch, points, channels]: the neighbour with the maximum
@group(0) @binding(5) var<storage, read_write> sumsOut: array<Value>; // [batch, points, channels]: sum of P_j over the neighbours
@group(0) @binding(6) var<storage, read_write> spreadsOut: array<Value>; // the same, of (P_j - mean of P_j)^2
@group(0) @binding(7) var<storage, read> winnersIn: array<Index>;
@group(0) @binding(8) var<storage, read> sumsIn: array<Value>;
@group(0) @binding(9) var<storage, read> spreadsIn: array<Value>;
@group(0) @binding(10) var<storage, read_write> momentsOut: array<Moment>; // [chunks, channels]
@group(0) @binding(11) var<storage, read> statistics: array<Statistic>; // [channels]
@group(0) @binding(12) var<storage, read_write> out: array<Value>;
@group(0) @binding(13) var<storage, read> grad: array<Value>; // [batch, points, channels], of the activation's input
@group(0) @binding(14) var<storage, read> gammaGrad: array<Value>;
@group(0) @binding(15) var<storage, read> betaGrad: array<Value>;
@group(0) @binding(16) var<storage, read> starts: array<u32>; // see reverse_graph.wgsl
@group(0) @binding(17) var<storage, read> sources: array<u32>;
@group(0) @binding(18) var<storage, read_write> gammaSums: array<Value>;
@group(0) @binding(19) var<storage, read_write> betaSums: array<Value>;
@group(0) @binding(20) var<storage, read> weight: array<Value>; // [2 inChannels, channels]: A^T over B^T
@group(0) @binding(21) var<storage, read_write> coefficientsOut: array<Coefficient>; // [channels]
@group(0) @binding(22) var<storage, read> coefficientsIn: array<Coefficient>;
@group(0) @binding(23) var<storage, read_write> peaksOut: array<Value>; // [batch, points, channels]: P_j of the winner
@group(0) @binding(24) var<storage, read> peaksIn: array<Value>;
@group(0) @binding(25) var<uniform> sizes: Sizes;

// [A^T ; B^T] -> [A^T | (B - A)^T], so that one product with x gives P and Q. `points` is the number of in channels.
@compute @workgroup_size(64) fn factorWeight(launch: Launch) {
  let i = indexOf(launch);
  if (i >= sizes.points * sizes.channels) {
    return;
  }
  let row = i / sizes.channels;
  let channel = i % sizes.channels;
  let a = weight[i];
  out[row * 2u * sizes.channels + channel] = a;
  out[row * 2u * sizes.channels + sizes.channels + channel] = weight[sizes.points * sizes.channels + i] - a;
}

// The transpose of factorWeight: dA = dP - dQ, dB = dQ.
@compute @workgroup_size(64) fn unfactorWeight(launch: Launch) {
  let i = indexOf(launch);
  if (i >= sizes.points * sizes.channels) {
    return;
  }
  let row = i / sizes.channels * 2u * sizes.channels;
  let p = weight[row + i % sizes.channels];
  let q = weight[row + sizes.channels + i % sizes.channels];
  out[i] = p - q;
  out[sizes.points * sizes.channels + i] = q;
}

// Per point and channel: the neighbour of the largest P_j (smallest where gamma < 0; batch norm and activation are
// monotone), and for the statistics the sum and the spread of P_j.
@compute @workgroup_size(64) fn reduceNeighbours(launch: Launch) {
  let i = indexOf(launch);
  if (i >= sizes.batch * sizes.points * sizes.channels) {
    return;
  }
  let channel = i % sizes.channels;
  let point = i / sizes.channels;
  let first = point / sizes.points * sizes.points;
  let direction = select(Value(-1.0), Value(1.0), gamma[channel] >= Value());
  let nearest = u32(neighbours[point * sizes.k]);
  let origin = pq[(first + nearest) * 2u * sizes.channels + channel];
  var winner = Index(nearest);
  var best = direction * origin;
  var sum = Value();
  var squares = Value();
  for (var slot = 1u; slot < sizes.k; slot++) {
    let j = u32(neighbours[point * sizes.k + slot]);
    let p = pq[(first + j) * 2u * sizes.channels + channel];
    let d = p - origin;
    sum += d;
    squares += d * d;
    let better = direction * p > best;
    best = select(best, direction * p, better);
    winner = select(winner, Index(j), better);
  }
  winnersOut[i] = winner;
  peaksOut[i] = direction * best;
  sumsOut[i] = f32(sizes.k) * origin + sum;
  spreadsOut[i] = max(Value(), squares - sum * sum / f32(sizes.k));
}

// Mean and squared deviations of the edges of a chunk of points; joined by batch_norm.wgsl's `statistics`.
// A point's edges have mean sumsIn / k + Q_i and squared deviations `spreadsIn`.
@compute @workgroup_size(64) fn moments(launch: Launch) {
  let i = indexOf(launch);
  if (i >= sizes.chunks * sizes.channels) {
    return;
  }
  let channel = i % sizes.channels;
  let start = i / sizes.channels * sizes.chunk;
  let end = min(sizes.batch * sizes.points, start + sizes.chunk);
  let k = f32(sizes.k);
  var origin = Value();
  var sum = Value();
  var squares = Value();
  var within = Value();
  for (var point = start; point < end; point++) {
    let mean = sumsIn[point * sizes.channels + channel] / k + pq[(point * 2u + 1u) * sizes.channels + channel];
    if (point == start) {
      origin = mean;
    }
    let d = mean - origin;
    sum += d;
    squares += d * d;
    within += spreadsIn[point * sizes.channels + channel];
  }
  let count = f32(end - start);
  momentsOut[i] = Moment(origin + sum / count, within + k * max(Value(), squares - sum * sum / count));
}

// The winning edge, normalised.
fn winningEdge(i: u32) -> Value {
  let channel = i % sizes.channels;
  let q = pq[(i / sizes.channels * 2u + 1u) * sizes.channels + channel];
  return (peaksIn[i] + q - statistics[channel].mean) * statistics[channel].inverse;
}

@compute @workgroup_size(64) fn apply(launch: Launch) {
  let i = indexOf(launch);
  if (i < sizes.batch * sizes.points * sizes.channels) {
    let v = gamma[i % sizes.channels] * winningEdge(i) + beta[i % sizes.channels];
    out[i] = select(sizes.slope * v, v, v > Value());
  }
}

// Per chunk of points: the sums behind dgamma and dbeta. Only winning edges carry a gradient.
@compute @workgroup_size(64) fn gradientSums(launch: Launch) {
  let i = indexOf(launch);
  if (i >= sizes.chunks * sizes.channels) {
    return;
  }
  let start = i / sizes.channels * sizes.chunk;
  let end = min(sizes.batch * sizes.points, start + sizes.chunk);
  var gammaSum = Value();
  var betaSum = Value();
  for (var point = start; point < end; point++) {
    let at = point * sizes.channels + i % sizes.channels;
    gammaSum += grad[at] * winningEdge(at);
    betaSum += grad[at];
  }
  gammaSums[i] = gammaSum;
  betaSums[i] = betaSum;
}

// Every edge e receives gamma / std (g - dbeta / n - e_normalised dgamma / n), n the number of edges and g nonzero on
// winning edges only. What of it depends on the channel alone: scale, offset and tilt (both 0 in evaluation), mean.
@compute @workgroup_size(64) fn gradientCoefficients(launch: Launch) {
  let channel = indexOf(launch);
  if (channel >= sizes.channels) {
    return;
  }
  let s = statistics[channel];
  let share = f32(sizes.training) / (f32(sizes.batch * sizes.points) * f32(sizes.k));
  coefficientsOut[channel] = Coefficient(
    gamma[channel] * s.inverse,
    betaGrad[channel] * share,
    gammaGrad[channel] * share * s.inverse,
    s.mean,
  );
}

// out[point] = [dP | dQ]. P_j collects from the edges that name j, Q_i from its own k edges.
@compute @workgroup_size(64) fn inputGradient(launch: Launch) {
  let i = indexOf(launch);
  if (i >= sizes.batch * sizes.points * sizes.channels) {
    return;
  }
  let channel = i % sizes.channels;
  let point = i / sizes.channels;
  let within = point % sizes.points;
  let factors = coefficientsIn[channel];
  let p = pq[point * 2u * sizes.channels + channel];
  let q = pq[(point * 2u + 1u) * sizes.channels + channel];
  let k = f32(sizes.k);
  let start = starts[point];
  let end = starts[point + 1u];
  var received = Value();
  var qSum = Value();
  for (var slot = start; slot < end; slot++) {
    let source = sources[slot];
    let won = winnersIn[source * sizes.channels + channel] == Index(within);
    received += select(Value(), grad[source * sizes.channels + channel], won);
    qSum += pq[(source * 2u + 1u) * sizes.channels + channel];
  }
  let named = f32(end - start);
  let dP = received - named * factors.offset - factors.tilt * (named * (p - factors.mean) + qSum);
  let dQ = grad[i] - k * factors.offset - factors.tilt * (sumsIn[i] + k * (q - factors.mean));
  out[point * 2u * sizes.channels + channel] = factors.scale * dP;
  out[(point * 2u + 1u) * sizes.channels + channel] = factors.scale * dQ;
}

// Reductions down the columns of [batches, rows, channels], each in a fixed order.

// One channel per invocation, or four side by side where channels are a multiple of 4: `kernelPair` replaces these types.
alias Value = f32;
alias Index = u32;
alias Values = u32; // a count of Value: `kernelPair` divides it by 4

struct Sizes {
  batches: u32,
  rows: u32,
  channels: Values,
  chunk: u32, // rows added up by one invocation
  chunks: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read_write> out: array<Value>;
@group(0) @binding(2) var<storage, read_write> winnersOut: array<Index>;
@group(0) @binding(3) var<storage, read> winnersIn: array<Index>;
@group(0) @binding(4) var<storage, read> grad: array<Value>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

// out[batch, chunk, channel] = scale * sum over the chunk's rows
@compute @workgroup_size(64) fn sums(launch: Launch) {
  let i = indexOf(launch);
  if (i >= sizes.batches * sizes.chunks * sizes.channels) {
    return;
  }
  let channel = i % sizes.channels;
  let chunk = i / sizes.channels % sizes.chunks;
  let batch = i / (sizes.channels * sizes.chunks);
  let end = min(sizes.rows, (chunk + 1u) * sizes.chunk);
  var sum = Value();
  for (var row = chunk * sizes.chunk; row < end; row++) {
    sum += x[(batch * sizes.rows + row) * sizes.channels + channel];
  }
  out[i] = sizes.scale * sum;
}

// out[batch, channel] = the largest of the rows, winnersOut[batch, channel] = its row; of equals the lower row
@compute @workgroup_size(64) fn maxima(launch: Launch) {
  let i = indexOf(launch);
  if (i >= sizes.batches * sizes.channels) {
    return;
  }
  let channel = i % sizes.channels;
  let start = i / sizes.channels * sizes.rows;
  var best = x[start * sizes.channels + channel];
  var winner = Index();
  for (var row = 1u; row < sizes.rows; row++) {
    let value = x[(start + row) * sizes.channels + channel];
    winner = select(winner, Index(row), value > best);
    best = max(best, value);
  }
  out[i] = best;
  winnersOut[i] = winner;
}

// The gradient of `maxima`: grad at the winner's row, 0 elsewhere.
@compute @workgroup_size(64) fn maximaGradient(launch: Launch) {
  let i = indexOf(launch);
  if (i >= sizes.batches * sizes.rows * sizes.channels) {
    return;
  }
  let row = i / sizes.channels % sizes.rows;
  let at = i / (sizes.channels * sizes.rows) * sizes.channels + i % sizes.channels;
  out[i] = select(Value(), grad[at], winnersIn[at] == Index(row));
}

// The gradient of `sums` over all rows: every row gets scale * grad.
@compute @workgroup_size(64) fn spread(launch: Launch) {
  let i = indexOf(launch);
  if (i < sizes.batches * sizes.rows * sizes.channels) {
    out[i] = sizes.scale * grad[i / (sizes.channels * sizes.rows) * sizes.channels + i % sizes.channels];
  }
}

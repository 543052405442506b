// Max pooling, channels last. Forward notes the winner's pixel; backward lets each input pixel collect from the windows
// that it won, so that no two invocations write one number.

// One channel per invocation, or four where channels are a multiple of 4: `kernelPair` replaces these types.
alias Value = f32;
alias Index = u32;
alias Values = u32; // a count of Value: `kernelPair` divides it by 4

struct Sizes {
  batch: u32,
  height: u32,
  width: u32,
  channels: Values,
  outHeight: u32,
  outWidth: u32,
  size: u32,
  stride: u32,
  padding: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read_write> out: array<Value>;
@group(0) @binding(2) var<storage, read_write> winnersOut: array<Index>; // row * width + column in the image
@group(0) @binding(3) var<storage, read> winnersIn: array<Index>;
@group(0) @binding(4) var<storage, read> grad: array<Value>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

@compute @workgroup_size(64) fn pool(launch: Launch) {
  let i = indexOf(launch);
  let channel = i % sizes.channels;
  let column = i / sizes.channels % sizes.outWidth;
  let row = i / (sizes.channels * sizes.outWidth) % sizes.outHeight;
  let batch = i / (sizes.channels * sizes.outWidth * sizes.outHeight);
  if (batch >= sizes.batch) {
    return;
  }
  var best = Value(-3.4e38);
  var winner = Index(0xffffffffu);
  for (var ky = 0u; ky < sizes.size; ky++) {
    for (var kx = 0u; kx < sizes.size; kx++) {
      let y = row * sizes.stride + ky - sizes.padding; // below zero wraps to a huge number: outside
      let at = column * sizes.stride + kx - sizes.padding;
      if (y < sizes.height && at < sizes.width) {
        let value = x[((batch * sizes.height + y) * sizes.width + at) * sizes.channels + channel];
        let better = (value > best) | (winner == Index(0xffffffffu));
        best = select(best, value, better);
        winner = select(winner, Index(y * sizes.width + at), better);
      }
    }
  }
  out[i] = best;
  winnersOut[i] = winner;
}

@compute @workgroup_size(64) fn poolGradient(launch: Launch) {
  let i = indexOf(launch);
  let channel = i % sizes.channels;
  let column = i / sizes.channels % sizes.width;
  let row = i / (sizes.channels * sizes.width) % sizes.height;
  let batch = i / (sizes.channels * sizes.width * sizes.height);
  if (batch >= sizes.batch) {
    return;
  }
  // The windows w with w * stride <= row + padding < w * stride + size.
  let lastY = min((row + sizes.padding) / sizes.stride, sizes.outHeight - 1u);
  let lastX = min((column + sizes.padding) / sizes.stride, sizes.outWidth - 1u);
  let firstY = (max(row + sizes.padding + 1u, sizes.size) - sizes.size + sizes.stride - 1u) / sizes.stride;
  let firstX = (max(column + sizes.padding + 1u, sizes.size) - sizes.size + sizes.stride - 1u) / sizes.stride;
  var sum = Value();
  for (var y = firstY; y <= lastY; y++) {
    for (var at = firstX; at <= lastX; at++) {
      let window = ((batch * sizes.outHeight + y) * sizes.outWidth + at) * sizes.channels + channel;
      sum += select(Value(), grad[window], winnersIn[window] == Index(row * sizes.width + column));
    }
  }
  out[i] = sum;
}

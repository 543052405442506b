// 2-d convolution, channels last, as sums over the taps (ky, kx) of small matrix products.
//
// Forward and input gradient are one gather, with the roles turned: forward reads the input at output * stride - padding +
// tap; the input gradient reads the output's gradient where that equation holds backwards, (input + padding - tap) / stride,
// and skips what does not divide. `multiply`, `DIVIDE`, `tapSign` and `offset` say which of the two it is.
//
// The `Scalar` entry points are the definition, one element per invocation, and serve channel counts that are no multiple
// of 4. The tiles compute 8 pixels (or weights) x 8 channels per invocation in registers.

struct Sizes {
  batch: u32,
  fromHeight: u32, // of the image that is read
  fromWidth: u32,
  fromChannels: u32,
  toHeight: u32, // of the image that is written (weight gradient: of the output's gradient)
  toWidth: u32,
  toChannels: u32,
  kernelHeight: u32,
  kernelWidth: u32,
  multiplyY: u32,
  multiplyX: u32,
  tapSign: i32,
  offsetY: i32,
  offsetX: i32,
  splits: u32, // weight gradient: parts of the sum over pixels
  chunk: u32, // pixels per part
}

@group(0) @binding(0) var<storage, read> x: array<f32>; // [batch, fromHeight, fromWidth, fromChannels]
@group(0) @binding(1) var<storage, read> weight: array<f32>; // [kernelHeight, kernelWidth, fromChannels, toChannels]
@group(0) @binding(2) var<storage, read_write> out: array<f32>; // [batch, toHeight, toWidth, toChannels]
@group(0) @binding(3) var<storage, read> grad: array<f32>; // like out
@group(0) @binding(4) var<storage, read> x4: array<vec4f>;
@group(0) @binding(5) var<storage, read> weight4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> out4: array<vec4f>;
@group(0) @binding(7) var<storage, read> grad4: array<vec4f>;
@group(0) @binding(8) var<uniform> sizes: Sizes;

const OUTSIDE = 0xffffffffu;

// Constants of the pipeline: a division by a number that is known when it is compiled is cheap, others are not.
override DIVIDE_Y: u32 = 1;
override DIVIDE_X: u32 = 1;

fn indexOf(group: vec3u, groups: vec3u, local: u32) -> u32 {
  return (group.y * groups.x + group.x) * 64u + local;
}

// The pixel of x that the output pixel (batch, y, x) reads at a tap, or OUTSIDE.
fn sourcePixel(batch: u32, toY: u32, toX: u32, ky: u32, kx: u32) -> u32 {
  let y = i32(toY * sizes.multiplyY) + sizes.offsetY + sizes.tapSign * i32(ky);
  let x = i32(toX * sizes.multiplyX) + sizes.offsetX + sizes.tapSign * i32(kx);
  if (y < 0 || x < 0) {
    return OUTSIDE;
  }
  let row = u32(y) / DIVIDE_Y;
  let column = u32(x) / DIVIDE_X;
  let divides = row * DIVIDE_Y == u32(y) && column * DIVIDE_X == u32(x);
  if (!divides || row >= sizes.fromHeight || column >= sizes.fromWidth) {
    return OUTSIDE;
  }
  return (batch * sizes.fromHeight + row) * sizes.fromWidth + column;
}

@compute @workgroup_size(64)
fn gatherScalar(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = indexOf(group, groups, local);
  let channel = index % sizes.toChannels;
  let pixel = index / sizes.toChannels;
  let toX = pixel % sizes.toWidth;
  let toY = pixel / sizes.toWidth % sizes.toHeight;
  let batch = pixel / (sizes.toWidth * sizes.toHeight);
  if (batch >= sizes.batch) {
    return;
  }
  var sum = 0.0;
  for (var ky = 0u; ky < sizes.kernelHeight; ky++) {
    for (var kx = 0u; kx < sizes.kernelWidth; kx++) {
      let source = sourcePixel(batch, toY, toX, ky, kx);
      if (source != OUTSIDE) {
        let weightStart = (ky * sizes.kernelWidth + kx) * sizes.fromChannels * sizes.toChannels + channel;
        for (var c = 0u; c < sizes.fromChannels; c++) {
          sum += x[source * sizes.fromChannels + c] * weight[weightStart + c * sizes.toChannels];
        }
      }
    }
  }
  out[index] = sum;
}

@compute @workgroup_size(64)
fn gather(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = indexOf(group, groups, local);
  let to4 = sizes.toChannels / 4u;
  let from4 = sizes.fromChannels / 4u;
  let channelTiles = (to4 + 1u) / 2u;
  let channel4 = index % channelTiles * 2u;
  let second = select(0u, 1u, channel4 + 1u < to4);
  let pixels = sizes.batch * sizes.toHeight * sizes.toWidth;
  let first = index / channelTiles * 8u;
  if (first >= pixels) {
    return;
  }
  var toX: array<u32, 8>;
  var toY: array<u32, 8>;
  var batch: array<u32, 8>;
  for (var r = 0u; r < 8u; r++) {
    let pixel = min(first + r, pixels - 1u);
    toX[r] = pixel % sizes.toWidth;
    toY[r] = pixel / sizes.toWidth % sizes.toHeight;
    batch[r] = pixel / (sizes.toWidth * sizes.toHeight);
  }
  var left: array<vec4f, 8>;
  var right: array<vec4f, 8>;
  for (var ky = 0u; ky < sizes.kernelHeight; ky++) {
    for (var kx = 0u; kx < sizes.kernelWidth; kx++) {
      var at: array<u32, 8>;
      var inside: array<f32, 8>;
      var any = false;
      for (var r = 0u; r < 8u; r++) {
        let source = sourcePixel(batch[r], toY[r], toX[r], ky, kx);
        at[r] = select(source, 0u, source == OUTSIDE) * from4;
        inside[r] = select(1.0, 0.0, source == OUTSIDE);
        any = any || source != OUTSIDE;
      }
      if (!any) {
        continue;
      }
      let weightStart = (ky * sizes.kernelWidth + kx) * sizes.fromChannels * to4 + channel4;
      for (var c = 0u; c < from4; c++) {
        let w = weightStart + c * 4u * to4;
        let w00 = weight4[w];
        let w10 = weight4[w + to4];
        let w20 = weight4[w + 2u * to4];
        let w30 = weight4[w + 3u * to4];
        let w01 = weight4[w + second];
        let w11 = weight4[w + to4 + second];
        let w21 = weight4[w + 2u * to4 + second];
        let w31 = weight4[w + 3u * to4 + second];
        for (var r = 0u; r < 8u; r++) {
          let v = x4[at[r] + c] * inside[r];
          left[r] += v.x * w00 + v.y * w10 + v.z * w20 + v.w * w30;
          right[r] += v.x * w01 + v.y * w11 + v.z * w21 + v.w * w31;
        }
      }
    }
  }
  for (var r = 0u; r < 8u; r++) {
    if (first + r < pixels) {
      let target4 = (first + r) * to4 + channel4;
      out4[target4] = left[r];
      if (second == 1u) {
        out4[target4 + 1u] = right[r];
      }
    }
  }
}

// out[split, ky, kx, fromChannel, toChannel] = sum over the split's pixels of x at the tap times grad
@compute @workgroup_size(64)
fn weightGradientScalar(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = indexOf(group, groups, local);
  let to = index % sizes.toChannels;
  let c = index / sizes.toChannels % sizes.fromChannels;
  let tap = index / (sizes.toChannels * sizes.fromChannels) % (sizes.kernelWidth * sizes.kernelHeight);
  let split = index / (sizes.toChannels * sizes.fromChannels * sizes.kernelWidth * sizes.kernelHeight);
  if (split >= sizes.splits) {
    return;
  }
  let pixels = sizes.batch * sizes.toHeight * sizes.toWidth;
  let end = min(pixels, (split + 1u) * sizes.chunk);
  var sum = 0.0;
  for (var pixel = split * sizes.chunk; pixel < end; pixel++) {
    let toX = pixel % sizes.toWidth;
    let toY = pixel / sizes.toWidth % sizes.toHeight;
    let batch = pixel / (sizes.toWidth * sizes.toHeight);
    let source = sourcePixel(batch, toY, toX, tap / sizes.kernelWidth, tap % sizes.kernelWidth);
    if (source != OUTSIDE) {
      sum += x[source * sizes.fromChannels + c] * grad[pixel * sizes.toChannels + to];
    }
  }
  out[index] = sum;
}

@compute @workgroup_size(64)
fn weightGradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = indexOf(group, groups, local);
  let to4 = sizes.toChannels / 4u;
  let from4 = sizes.fromChannels / 4u;
  let toTiles = (to4 + 1u) / 2u;
  let fromTiles = (from4 + 1u) / 2u;
  let taps = sizes.kernelWidth * sizes.kernelHeight;
  let column = index % toTiles * 2u;
  let row = index / toTiles % fromTiles * 2u;
  let tap = index / (toTiles * fromTiles) % taps;
  let split = index / (toTiles * fromTiles * taps);
  if (split >= sizes.splits) {
    return;
  }
  let secondTo = select(0u, 1u, column + 1u < to4);
  let secondFrom = select(0u, 1u, row + 1u < from4);
  let ky = tap / sizes.kernelWidth;
  let kx = tap % sizes.kernelWidth;
  let pixels = sizes.batch * sizes.toHeight * sizes.toWidth;
  let start = split * sizes.chunk;
  let end = min(pixels, start + sizes.chunk);
  var toX = start % sizes.toWidth;
  var toY = start / sizes.toWidth % sizes.toHeight;
  var batch = start / (sizes.toWidth * sizes.toHeight);
  var left: array<vec4f, 8>;
  var right: array<vec4f, 8>;
  for (var pixel = start; pixel < end; pixel++) {
    let source = sourcePixel(batch, toY, toX, ky, kx);
    if (source != OUTSIDE) {
      let top = x4[source * from4 + row];
      let bottom = x4[source * from4 + row + secondFrom];
      let g0 = grad4[pixel * to4 + column];
      let g1 = grad4[pixel * to4 + column + secondTo];
      for (var r = 0u; r < 4u; r++) {
        left[r] += top[r] * g0;
        right[r] += top[r] * g1;
        left[r + 4u] += bottom[r] * g0;
        right[r + 4u] += bottom[r] * g1;
      }
    }
    toX++;
    if (toX == sizes.toWidth) {
      toX = 0u;
      toY++;
      if (toY == sizes.toHeight) {
        toY = 0u;
        batch++;
      }
    }
  }
  for (var r = 0u; r < 8u; r++) {
    if (row * 4u + r < sizes.fromChannels) {
      let target4 = ((split * taps + tap) * sizes.fromChannels + row * 4u + r) * to4 + column;
      out4[target4] = left[r];
      if (secondTo == 1u) {
        out4[target4 + 1u] = right[r];
      }
    }
  }
}

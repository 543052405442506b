// 2-d convolution, channels last, as defined: one element per invocation. GPUs use tiles.wgsl for most, see gpu.ts.
//
// Forward and input gradient are the same loop with the roles swapped. Forward reads the input at output * stride - padding +
// tap; the input gradient reads the output's gradient where that equation holds backwards, (input + padding - tap) / stride,
// and skips what does not divide. `multiply`, `divide`, `tapSign` and `offset` say which of the two it is.

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
  divideY: u32,
  divideX: u32,
  tapSign: i32,
  offsetY: i32,
  offsetX: i32,
  splits: u32, // weight gradient: parts of the sum over pixels
  chunk: u32, // pixels per part
  weightFrom: u32, // elements between the weights of neighbouring channels that are read, and that are written
  weightTo: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>; // [batch, fromHeight, fromWidth, fromChannels]
@group(0) @binding(1) var<storage, read> weight: array<f32>; // [kernelHeight, kernelWidth, in, out]
@group(0) @binding(2) var<storage, read_write> out: array<f32>; // [batch, toHeight, toWidth, toChannels]
@group(0) @binding(3) var<storage, read> grad: array<f32>; // like out
@group(0) @binding(4) var<uniform> sizes: Sizes;

const OUTSIDE = 0xffffffffu;

// The pixel of x that the output pixel (batch, y, x) reads at a tap, or OUTSIDE.
fn sourcePixel(batch: u32, toY: u32, toX: u32, ky: u32, kx: u32) -> u32 {
  let y = i32(toY * sizes.multiplyY) + sizes.offsetY + sizes.tapSign * i32(ky);
  let x = i32(toX * sizes.multiplyX) + sizes.offsetX + sizes.tapSign * i32(kx);
  if (y < 0 || x < 0) {
    return OUTSIDE;
  }
  let row = u32(y) / sizes.divideY;
  let column = u32(x) / sizes.divideX;
  let divides = row * sizes.divideY == u32(y) && column * sizes.divideX == u32(x);
  if (!divides || row >= sizes.fromHeight || column >= sizes.fromWidth) {
    return OUTSIDE;
  }
  return (batch * sizes.fromHeight + row) * sizes.fromWidth + column;
}

@compute @workgroup_size(64) fn convolve(launch: Launch) {
  let index = indexOf(launch);
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
        let weightStart = (ky * sizes.kernelWidth + kx) * sizes.fromChannels * sizes.toChannels + channel * sizes.weightTo;
        for (var c = 0u; c < sizes.fromChannels; c++) {
          sum += x[source * sizes.fromChannels + c] * weight[weightStart + c * sizes.weightFrom];
        }
      }
    }
  }
  out[index] = sum;
}

// out[split, ky, kx, fromChannel, toChannel] = sum over the split's pixels of x at the tap times grad
@compute @workgroup_size(64) fn weightGradient(launch: Launch) {
  let index = indexOf(launch);
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

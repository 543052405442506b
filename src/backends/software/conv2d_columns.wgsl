// A convolution as one matrix product: `columns` writes the pixels that each output pixel reads side by side, a row of
// [kernelHeight, kernelWidth, channels] per output pixel; `image` is its transpose, and adds up what overlaps.

// One channel per invocation step, or four where channels are a multiple of 4: `kernelPair` replaces this type.
alias Value = f32;
alias Values = u32; // a count of Value: `kernelPair` divides it by 4

struct Sizes {
  batch: u32,
  height: u32, // of the image
  width: u32,
  channels: Values,
  outHeight: u32,
  outWidth: u32,
  kernelHeight: u32,
  kernelWidth: u32,
  strideY: u32,
  strideX: u32,
  padY: u32,
  padX: u32,
  row: Values, // a row of columns: kernelHeight * kernelWidth * channels, and zeros
}

@group(0) @binding(0) var<storage, read> x: array<Value>; // [batch, height, width, channels]
@group(0) @binding(1) var<storage, read_write> columnsOut: array<Value>; // [batch * outHeight * outWidth, row]
@group(0) @binding(2) var<storage, read> columnsIn: array<Value>;
@group(0) @binding(3) var<storage, read_write> out: array<Value>; // like x
@group(0) @binding(4) var<uniform> sizes: Sizes;

// One invocation per output pixel and row of the kernel: what it copies is contiguous in the image, too.
@compute @workgroup_size(64) fn columns(launch: Launch) {
  let i = indexOf(launch);
  let ky = i % sizes.kernelHeight;
  let pixel = i / sizes.kernelHeight;
  if (pixel >= sizes.batch * sizes.outHeight * sizes.outWidth) {
    return;
  }
  let y = i32(pixel / sizes.outWidth % sizes.outHeight * sizes.strideY + ky) - i32(sizes.padY);
  let left = i32(pixel % sizes.outWidth * sizes.strideX) - i32(sizes.padX);
  let inImage = y >= 0 && y < i32(sizes.height);
  let line = (pixel / (sizes.outWidth * sizes.outHeight) * sizes.height + u32(max(y, 0))) * sizes.width;
  var to = pixel * sizes.row + ky * sizes.kernelWidth * sizes.channels;
  for (var kx = 0u; kx < sizes.kernelWidth; kx++) {
    let at = left + i32(kx);
    if (inImage && at >= 0 && at < i32(sizes.width)) {
      let source = (line + u32(at)) * sizes.channels;
      for (var c = 0u; c < sizes.channels; c++) {
        columnsOut[to + c] = x[source + c];
      }
    } else {
      for (var c = 0u; c < sizes.channels; c++) {
        columnsOut[to + c] = Value();
      }
    }
    to += sizes.channels;
  }
  if (ky == sizes.kernelHeight - 1u) {
    for (; to < (pixel + 1u) * sizes.row; to++) {
      columnsOut[to] = Value();
    }
  }
}

// The same, transposed: [row, pixels], without the zeros. For single channels only. Neighbours are neighbouring pixels.
@compute @workgroup_size(64) fn steps(launch: Launch) {
  let i = indexOf(launch);
  let pixels = sizes.batch * sizes.outHeight * sizes.outWidth;
  let ky = i / pixels;
  let pixel = i % pixels;
  if (ky >= sizes.kernelHeight) {
    return;
  }
  let y = i32(pixel / sizes.outWidth % sizes.outHeight * sizes.strideY + ky) - i32(sizes.padY);
  let left = i32(pixel % sizes.outWidth * sizes.strideX) - i32(sizes.padX);
  let inImage = y >= 0 && y < i32(sizes.height);
  let line = (pixel / (sizes.outWidth * sizes.outHeight) * sizes.height + u32(max(y, 0))) * sizes.width;
  var to = ky * sizes.kernelWidth * sizes.channels * pixels + pixel;
  for (var kx = 0u; kx < sizes.kernelWidth; kx++) {
    let at = left + i32(kx);
    let inside = inImage && at >= 0 && at < i32(sizes.width);
    let source = select(0u, (line + u32(at)) * sizes.channels, inside);
    for (var c = 0u; c < sizes.channels; c++) {
      columnsOut[to] = select(Value(), x[source + c], inside);
      to += pixels;
    }
  }
}

@compute @workgroup_size(64) fn image(launch: Launch) {
  let i = indexOf(launch);
  if (i >= sizes.batch * sizes.height * sizes.width * sizes.channels) {
    return;
  }
  let channel = i % sizes.channels;
  let column = i / sizes.channels % sizes.width + sizes.padX;
  let row = i / (sizes.channels * sizes.width) % sizes.height + sizes.padY;
  let batch = i / (sizes.channels * sizes.width * sizes.height);
  var sum = Value();
  // Output pixel o reads this one at tap k where o * stride + k = row: every stride-th tap.
  for (var ky = row % sizes.strideY; ky < sizes.kernelHeight && ky <= row; ky += sizes.strideY) {
    let outY = (row - ky) / sizes.strideY;
    for (var kx = column % sizes.strideX; kx < sizes.kernelWidth && kx <= column; kx += sizes.strideX) {
      let outX = (column - kx) / sizes.strideX;
      if (outY < sizes.outHeight && outX < sizes.outWidth) {
        let pixel = (batch * sizes.outHeight + outY) * sizes.outWidth + outX;
        sum += columnsIn[pixel * sizes.row + (ky * sizes.kernelWidth + kx) * sizes.channels + channel];
      }
    }
  }
  out[i] = sum;
}

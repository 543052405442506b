enable subgroups;

// conv2d.wgsl's tiles for machines whose loads are dear and whose subgroups have 8 lanes: CPUs that play GPU. Every lane keeps
// 4 pixels (or 4 weights) x 16 channels in registers; what all lanes need is loaded by the lanes together and handed round
// by broadcast. See conv2d.wgsl for what is computed and for `Sizes`.

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

@group(0) @binding(0) var<storage, read> x4: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight4: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out4: array<vec4f>;
@group(0) @binding(3) var<storage, read> grad4: array<vec4f>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

const OUTSIDE = 0xffffffffu;

// Constants of the pipeline: a division by a number that is known when it is compiled is cheap, others are not.
override DIVIDE_Y: u32 = 1;
override DIVIDE_X: u32 = 1;

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

// acc[row * 4 + column4] += x[row] * b[column4]
fn accumulate(acc: ptr<function, array<vec4f, 16>>, x: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) {
  for (var r = 0u; r < 4u; r++) {
    (*acc)[r * 4u] += x[r] * b0;
    (*acc)[r * 4u + 1u] += x[r] * b1;
    (*acc)[r * 4u + 2u] += x[r] * b2;
    (*acc)[r * 4u + 3u] += x[r] * b3;
  }
}

fn storeRow(at: u32, left: u32, v0: vec4f, v1: vec4f, v2: vec4f, v3: vec4f) {
  out4[at] = v0;
  if (left > 1u) {
    out4[at + 1u] = v1;
  }
  if (left > 2u) {
    out4[at + 2u] = v2;
  }
  if (left > 3u) {
    out4[at + 3u] = v3;
  }
}

struct Pixel {
  batch: u32,
  y: u32,
  x: u32,
}

fn pixelOf(index: u32) -> Pixel {
  return Pixel(index / (sizes.toWidth * sizes.toHeight), index / sizes.toWidth % sizes.toHeight, index % sizes.toWidth);
}

fn sourceOf(pixel: Pixel, ky: u32, kx: u32) -> u32 {
  return sourcePixel(pixel.batch, pixel.y, pixel.x, ky, kx);
}

@compute @workgroup_size(8)
fn gather(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.y * groups.x + group.x;
  let to4 = sizes.toChannels / 4u;
  let from4 = sizes.fromChannels / 4u;
  let channelTiles = (to4 + 3u) / 4u;
  let channel4 = index % channelTiles * 4u;
  let pixels = sizes.batch * sizes.toHeight * sizes.toWidth;
  let first = index / channelTiles * 32u;
  if (first >= pixels) {
    return;
  }
  let pixel = first + lane;
  let p0 = pixelOf(min(pixel, pixels - 1u));
  let p1 = pixelOf(min(pixel + 8u, pixels - 1u));
  let p2 = pixelOf(min(pixel + 16u, pixels - 1u));
  let p3 = pixelOf(min(pixel + 24u, pixels - 1u));
  let weightLane = min(channel4 + (lane & 3u), to4 - 1u) + (lane >> 2u) * to4;
  var acc: array<vec4f, 16>;
  for (var ky = 0u; ky < sizes.kernelHeight; ky++) {
    for (var kx = 0u; kx < sizes.kernelWidth; kx++) {
      let source = vec4u(sourceOf(p0, ky, kx), sourceOf(p1, ky, kx), sourceOf(p2, ky, kx), sourceOf(p3, ky, kx));
      let outside = source == vec4u(OUTSIDE);
      let at = select(source * from4, vec4u(), outside);
      let inside = select(vec4f(1.0), vec4f(), outside);
      let weightStart = (ky * sizes.kernelWidth + kx) * sizes.fromChannels * to4 + weightLane;
      for (var c = 0u; c < from4; c++) {
        let w01 = weight4[weightStart + c * 4u * to4];
        let w23 = weight4[weightStart + (c * 4u + 2u) * to4];
        let x0 = x4[at.x + c] * inside.x;
        let x1 = x4[at.y + c] * inside.y;
        let x2 = x4[at.z + c] * inside.z;
        let x3 = x4[at.w + c] * inside.w;
        accumulate(&acc, vec4f(x0.x, x1.x, x2.x, x3.x), subgroupBroadcast(w01, 0u), subgroupBroadcast(w01, 1u), subgroupBroadcast(w01, 2u), subgroupBroadcast(w01, 3u));
        accumulate(&acc, vec4f(x0.y, x1.y, x2.y, x3.y), subgroupBroadcast(w01, 4u), subgroupBroadcast(w01, 5u), subgroupBroadcast(w01, 6u), subgroupBroadcast(w01, 7u));
        accumulate(&acc, vec4f(x0.z, x1.z, x2.z, x3.z), subgroupBroadcast(w23, 0u), subgroupBroadcast(w23, 1u), subgroupBroadcast(w23, 2u), subgroupBroadcast(w23, 3u));
        accumulate(&acc, vec4f(x0.w, x1.w, x2.w, x3.w), subgroupBroadcast(w23, 4u), subgroupBroadcast(w23, 5u), subgroupBroadcast(w23, 6u), subgroupBroadcast(w23, 7u));
      }
    }
  }
  let left = to4 - channel4;
  for (var r = 0u; r < 4u; r++) {
    if (pixel + 8u * r < pixels) {
      storeRow((pixel + 8u * r) * to4 + channel4, left, acc[r * 4u], acc[r * 4u + 1u], acc[r * 4u + 2u], acc[r * 4u + 3u]);
    }
  }
}

// Rows are the weights' (tap, input channel): each lane has a tap and four channels of its own.
@compute @workgroup_size(8)
fn weightGradient(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.y * groups.x + group.x;
  let to4 = sizes.toChannels / 4u;
  let from4 = sizes.fromChannels / 4u;
  let rows4 = sizes.kernelWidth * sizes.kernelHeight * from4;
  let toTiles = (to4 + 3u) / 4u;
  let rowTiles = (rows4 + 7u) / 8u;
  let column = index % toTiles * 4u;
  let row4 = index / toTiles % rowTiles * 8u + lane;
  let split = index / (toTiles * rowTiles);
  if (split >= sizes.splits) {
    return;
  }
  let tap = min(row4, rows4 - 1u) / from4;
  let c = min(row4, rows4 - 1u) % from4;
  let ky = tap / sizes.kernelWidth;
  let kx = tap % sizes.kernelWidth;
  let pixels = sizes.batch * sizes.toHeight * sizes.toWidth;
  let start = split * sizes.chunk;
  let end = min(pixels, start + sizes.chunk);
  let gradLane = min(column + (lane & 3u), to4 - 1u);
  var at = pixelOf(start);
  var acc: array<vec4f, 16>;
  for (var pixel = start; pixel < end; pixel += 2u) {
    // Lanes 4 to 7 fetch the next pixel's gradient; past the end it counts for nothing.
    let g = grad4[min(pixel + (lane >> 2u), end - 1u) * to4 + gradLane];
    let source = sourceOf(at, ky, kx);
    let x = select(x4[select(source, 0u, source == OUTSIDE) * from4 + c], vec4f(), source == OUTSIDE);
    at = following(at);
    let next = sourceOf(at, ky, kx);
    let skip = next == OUTSIDE || pixel + 1u >= end;
    let y = select(x4[select(next, 0u, skip) * from4 + c], vec4f(), skip);
    at = following(at);
    accumulate(&acc, x, subgroupBroadcast(g, 0u), subgroupBroadcast(g, 1u), subgroupBroadcast(g, 2u), subgroupBroadcast(g, 3u));
    accumulate(&acc, y, subgroupBroadcast(g, 4u), subgroupBroadcast(g, 5u), subgroupBroadcast(g, 6u), subgroupBroadcast(g, 7u));
  }
  if (row4 < rows4) {
    let left = to4 - column;
    for (var r = 0u; r < 4u; r++) {
      let target4 = (split * rows4 * 4u + row4 * 4u + r) * to4 + column;
      storeRow(target4, left, acc[r * 4u], acc[r * 4u + 1u], acc[r * 4u + 2u], acc[r * 4u + 3u]);
    }
  }
}

fn following(pixel: Pixel) -> Pixel {
  let endOfRow = pixel.x + 1u == sizes.toWidth;
  let endOfImage = endOfRow && pixel.y + 1u == sizes.toHeight;
  return Pixel(
    pixel.batch + select(0u, 1u, endOfImage),
    select(pixel.y + select(0u, 1u, endOfRow), 0u, endOfImage),
    select(pixel.x + 1u, 0u, endOfRow),
  );
}

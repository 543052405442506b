// The transforms of Winograd's minimal filtering F(2x2, 3x3): a 3x3 convolution becomes 16 matrix products, one for
// each position of a 4x4 tile, with 16 multiplications for 4 pixels where the direct way has 36. Source: Lavin and
// Gray, "Fast Algorithms for Convolutional Neural Networks", 2016. Tiles begin 2 pixels apart and overlap by 2.
//
//   y = A^T ((G w G^T) * (B^T x B)) A, with * elementwise; a matrix product over channels in its place.
//
// Gradients use the same tiles: of the input, with w rotated by 180 degrees, which only swaps positions 0 and 3 of
// each axis (`rotated`); of the weights, G^T ((B^T x B) * (A dy A^T)) G, summed over the tiles.

struct Sizes {
  batch: u32,
  height: u32, // of the image that is read or written
  width: u32,
  channels: u32, // in vec4; of weights: the output channels
  rows: u32, // of weights: the input channels
  tilesY: u32,
  tilesX: u32,
  offsetY: i32, // where the first tile begins in the image
  offsetX: i32,
  rotated: u32,
  stride: u32, // tiles from one position to the next: as many as there are, or more; of weights: rows
}

@group(0) @binding(0) var<storage, read> image: array<vec4f>; // [batch, height, width, channels]
@group(0) @binding(1) var<storage, read_write> positionsOut: array<vec4f>; // [16, stride, channels]
@group(0) @binding(2) var<storage, read> positionsIn: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // like image
@group(0) @binding(4) var<storage, read> weight: array<vec4f>; // [3, 3, rows, channels]
@group(0) @binding(5) var<storage, read_write> weightGrad: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> bySteps: array<f32>; // [16, channels * 4, stride]: the tiles side by side
@group(0) @binding(7) var<uniform> sizes: Sizes;

struct Two {
  a: vec4f,
  b: vec4f,
}

struct Three {
  a: vec4f,
  b: vec4f,
  c: vec4f,
}

struct Four {
  a: vec4f,
  b: vec4f,
  c: vec4f,
  d: vec4f,
}

// The five small matrices, applied to one axis.
fn inputAxis(x: Four) -> Four { // B^T
  return Four(x.a - x.c, x.b + x.c, x.c - x.b, x.b - x.d);
}

fn outputAxis(m: Four) -> Two { // A^T
  return Two(m.a + m.b + m.c, m.b - m.c - m.d);
}

fn gradientAxis(g: Two) -> Four { // A
  return Four(g.a, g.a + g.b, g.a - g.b, -g.b);
}

fn weightAxis(w: Three) -> Four { // G
  return Four(w.a, 0.5 * (w.a + w.b + w.c), 0.5 * (w.a - w.b + w.c), w.c);
}

fn weightGradientAxis(u: Four) -> Three { // G^T
  return Three(u.a + 0.5 * (u.b + u.c), 0.5 * (u.b - u.c), 0.5 * (u.b + u.c) + u.d);
}

struct Tile {
  batch: u32,
  y: i32, // of its first pixel; may be outside the image
  x: i32,
  channel: u32,
  index: u32, // of (tile, channel)
  all: u32, // how many of them there are
}

fn tileOf(index: u32) -> Tile {
  let tile = index / sizes.channels;
  let tileX = tile % sizes.tilesX;
  let tileY = tile / sizes.tilesX % sizes.tilesY;
  return Tile(
    tile / (sizes.tilesX * sizes.tilesY),
    i32(2u * tileY) + sizes.offsetY,
    i32(2u * tileX) + sizes.offsetX,
    index % sizes.channels,
    index,
    sizes.batch * sizes.tilesY * sizes.tilesX * sizes.channels,
  );
}

fn isInside(y: i32, x: i32) -> bool {
  return y >= 0 && x >= 0 && y < i32(sizes.height) && x < i32(sizes.width);
}

fn offsetOf(tile: Tile, y: i32, x: i32) -> u32 {
  return ((tile.batch * sizes.height + u32(y)) * sizes.width + u32(x)) * sizes.channels + tile.channel;
}

fn pixel(tile: Tile, dy: i32, dx: i32) -> vec4f {
  let y = tile.y + dy;
  let x = tile.x + dx;
  let inside = isInside(y, x);
  return select(vec4f(), image[select(0u, offsetOf(tile, y, x), inside)], inside);
}

fn setPixel(tile: Tile, dy: i32, dx: i32, value: vec4f) {
  let y = tile.y + dy;
  let x = tile.x + dx;
  if (isInside(y, x)) {
    out[offsetOf(tile, y, x)] = value;
  }
}

// The rotated order 3, 1, 2, 0 of an axis.
fn placed(position: u32) -> u32 {
  return select(position, select(position, 3u - position, position == 0u || position == 3u), sizes.rotated == 1u);
}

fn slot(tile: Tile, row: u32, column: u32) -> u32 {
  return (placed(row) * 4u + placed(column)) * sizes.stride * sizes.channels + tile.index;
}

fn setColumn(tile: Tile, column: u32, values: Four) {
  positionsOut[slot(tile, 0u, column)] = values.a;
  positionsOut[slot(tile, 1u, column)] = values.b;
  positionsOut[slot(tile, 2u, column)] = values.c;
  positionsOut[slot(tile, 3u, column)] = values.d;
}

fn columnOf(tile: Tile, column: u32) -> Four {
  return Four(
    positionsIn[slot(tile, 0u, column)],
    positionsIn[slot(tile, 1u, column)],
    positionsIn[slot(tile, 2u, column)],
    positionsIn[slot(tile, 3u, column)],
  );
}

fn imageRow(tile: Tile, dy: i32) -> Four {
  return inputAxis(Four(pixel(tile, dy, 0), pixel(tile, dy, 1), pixel(tile, dy, 2), pixel(tile, dy, 3)));
}

fn setSteps(tile: Tile, row: u32, column: u32, value: vec4f) {
  let position = placed(row) * 4u + placed(column);
  let at = (position * sizes.channels + tile.channel) * 4u * sizes.stride + tile.index / sizes.channels;
  bySteps[at] = value.x;
  bySteps[at + sizes.stride] = value.y;
  bySteps[at + 2u * sizes.stride] = value.z;
  bySteps[at + 3u * sizes.stride] = value.w;
}

fn setStepsColumn(tile: Tile, column: u32, values: Four) {
  setSteps(tile, 0u, column, values.a);
  setSteps(tile, 1u, column, values.b);
  setSteps(tile, 2u, column, values.c);
  setSteps(tile, 3u, column, values.d);
}

// image -> bySteps, B^T x B: channels are what the product sums over. Neighbours in a workgroup are neighbouring tiles.
@compute @workgroup_size(64) fn inputSteps(launch: Launch) {
  let tiles = sizes.batch * sizes.tilesY * sizes.tilesX;
  let i = indexOf(launch);
  let tile = tileOf(i % tiles * sizes.channels + i / tiles);
  if (i >= tiles * sizes.channels) {
    return;
  }
  let r0 = imageRow(tile, 0);
  let r1 = imageRow(tile, 1);
  let r2 = imageRow(tile, 2);
  let r3 = imageRow(tile, 3);
  setStepsColumn(tile, 0u, inputAxis(Four(r0.a, r1.a, r2.a, r3.a)));
  setStepsColumn(tile, 1u, inputAxis(Four(r0.b, r1.b, r2.b, r3.b)));
  setStepsColumn(tile, 2u, inputAxis(Four(r0.c, r1.c, r2.c, r3.c)));
  setStepsColumn(tile, 3u, inputAxis(Four(r0.d, r1.d, r2.d, r3.d)));
}

// image -> positionsOut, B^T x B: tiles are what the product sums over.
@compute @workgroup_size(64) fn inputTransform(launch: Launch) {
  let tile = tileOf(indexOf(launch));
  if (tile.index >= tile.all) {
    return;
  }
  let r0 = imageRow(tile, 0);
  let r1 = imageRow(tile, 1);
  let r2 = imageRow(tile, 2);
  let r3 = imageRow(tile, 3);
  setColumn(tile, 0u, inputAxis(Four(r0.a, r1.a, r2.a, r3.a)));
  setColumn(tile, 1u, inputAxis(Four(r0.b, r1.b, r2.b, r3.b)));
  setColumn(tile, 2u, inputAxis(Four(r0.c, r1.c, r2.c, r3.c)));
  setColumn(tile, 3u, inputAxis(Four(r0.d, r1.d, r2.d, r3.d)));
}

// positionsIn -> out, A^T m A
@compute @workgroup_size(64) fn outputTransform(launch: Launch) {
  let tile = tileOf(indexOf(launch));
  if (tile.index >= tile.all) {
    return;
  }
  let c0 = outputAxis(columnOf(tile, 0u));
  let c1 = outputAxis(columnOf(tile, 1u));
  let c2 = outputAxis(columnOf(tile, 2u));
  let c3 = outputAxis(columnOf(tile, 3u));
  let top = outputAxis(Four(c0.a, c1.a, c2.a, c3.a));
  let bottom = outputAxis(Four(c0.b, c1.b, c2.b, c3.b));
  setPixel(tile, 0, 0, top.a);
  setPixel(tile, 0, 1, top.b);
  setPixel(tile, 1, 0, bottom.a);
  setPixel(tile, 1, 1, bottom.b);
}

// image (the output's gradient) -> positionsOut, A dy A^T
@compute @workgroup_size(64) fn gradientTransform(launch: Launch) {
  let tile = tileOf(indexOf(launch));
  if (tile.index >= tile.all) {
    return;
  }
  let top = gradientAxis(Two(pixel(tile, 0, 0), pixel(tile, 0, 1)));
  let bottom = gradientAxis(Two(pixel(tile, 1, 0), pixel(tile, 1, 1)));
  setColumn(tile, 0u, gradientAxis(Two(top.a, bottom.a)));
  setColumn(tile, 1u, gradientAxis(Two(top.b, bottom.b)));
  setColumn(tile, 2u, gradientAxis(Two(top.c, bottom.c)));
  setColumn(tile, 3u, gradientAxis(Two(top.d, bottom.d)));
}

// Weights have one "tile" per pair of channels: [rows, channels].
fn weightTile(index: u32) -> Tile {
  return Tile(0u, 0, 0, 0u, index, sizes.rows * sizes.channels);
}

fn weightRow(tile: Tile, ky: u32) -> Four {
  let first = ky * 3u * tile.all + tile.index;
  return weightAxis(Three(weight[first], weight[first + tile.all], weight[first + 2u * tile.all]));
}

// weight -> positionsOut, G w G^T
@compute @workgroup_size(64) fn weightTransform(launch: Launch) {
  let tile = weightTile(indexOf(launch));
  if (tile.index >= tile.all) {
    return;
  }
  let r0 = weightRow(tile, 0u);
  let r1 = weightRow(tile, 1u);
  let r2 = weightRow(tile, 2u);
  setColumn(tile, 0u, weightAxis(Three(r0.a, r1.a, r2.a)));
  setColumn(tile, 1u, weightAxis(Three(r0.b, r1.b, r2.b)));
  setColumn(tile, 2u, weightAxis(Three(r0.c, r1.c, r2.c)));
  setColumn(tile, 3u, weightAxis(Three(r0.d, r1.d, r2.d)));
}

fn setWeightRow(tile: Tile, ky: u32, a: vec4f, b: vec4f, c: vec4f, d: vec4f) {
  let first = ky * 3u * tile.all + tile.index;
  let row = weightGradientAxis(Four(a, b, c, d));
  weightGrad[first] = row.a;
  weightGrad[first + tile.all] = row.b;
  weightGrad[first + 2u * tile.all] = row.c;
}

// positionsIn -> weightGrad, G^T u G
@compute @workgroup_size(64) fn weightGradientTransform(launch: Launch) {
  let tile = weightTile(indexOf(launch));
  if (tile.index >= tile.all) {
    return;
  }
  let c0 = weightGradientAxis(columnOf(tile, 0u));
  let c1 = weightGradientAxis(columnOf(tile, 1u));
  let c2 = weightGradientAxis(columnOf(tile, 2u));
  let c3 = weightGradientAxis(columnOf(tile, 3u));
  setWeightRow(tile, 0u, c0.a, c1.a, c2.a, c3.a);
  setWeightRow(tile, 1u, c0.b, c1.b, c2.b, c3.b);
  setWeightRow(tile, 2u, c0.c, c1.c, c2.c, c3.c);
}

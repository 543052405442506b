// Matrix products on a GPU, and convolutions as matrix products: a workgroup computes 64 rows x 64 columns, 8 x 8 per
// invocation. 16 steps of the inner sum at a time are staged in workgroup memory as vec4 along rows and along columns,
// so that every number that comes from memory is used 64 times. Sizes are multiples of 4 along the axis that is
// contiguous in memory.
//
// A convolution is the same product with the left side read straight from the image: rows (output pixels) x inner (tap,
// channel). Its weight gradient reads rows (tap, channel) x inner (pixels). The steps between pixels are those of
// conv2d.wgsl.

override READS: u32 = 0; // what the left side is
const CONVOLUTION = 1u; // a4 is the image, b4 the weight [kernelHeight * kernelWidth * fromChannels, columns]
const WEIGHT_GRADIENT = 2u; // a4 is the image, b4 the output's gradient [pixels, columns]

struct Sizes {
  batches: u32,
  splits: u32,
  rows: u32,
  columns: u32,
  inner: u32,
  chunk: u32, // steps of the inner sum per split
  aBatch: u32, // elements between the batches of a; 0 where all share one
  bBatch: u32,
  transposeA: u32, // is a stored as [inner, rows]?
  transposeB: u32, // is b stored as [columns, inner]?
  fromHeight: u32, // convolutions: of the image that is read
  fromWidth: u32,
  fromChannels: u32,
  toHeight: u32, // of the output, or of its gradient
  toWidth: u32,
  kernelWidth: u32,
  multiplyY: u32,
  multiplyX: u32,
  divideY: u32,
  divideX: u32,
  tapSign: i32,
  offsetY: i32,
  offsetX: i32,
}

@group(0) @binding(0) var<storage, read> a4: array<vec4f>;
@group(0) @binding(1) var<storage, read> b4: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out4: array<vec4f>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

const TILE4 = 16u; // vec4 along a side of a tile
const STEPS = 16u; // of the inner sum

var<workgroup> aTile: array<vec4f, 256>; // [step, rows / 4]
var<workgroup> bTile: array<vec4f, 256>; // [step, columns / 4]

struct Tile {
  batch: u32,
  split: u32,
  row: u32,
  column4: u32,
  k: u32,
  end: u32,
}

fn tileOf(index: u32) -> Tile {
  let columnTiles = (sizes.columns + 63u) / 64u;
  let rowTiles = (sizes.rows + 63u) / 64u;
  let split = index / (columnTiles * rowTiles) % sizes.splits;
  let k = split * sizes.chunk;
  return Tile(
    index / (columnTiles * rowTiles * sizes.splits),
    split,
    index / columnTiles % rowTiles * 64u,
    index % columnTiles * TILE4,
    k,
    min(sizes.inner, k + sizes.chunk),
  );
}

// Of each staged block an invocation brings 4 steps x 4 rows (or columns): number `side` of 16 along the side, `step4`
// of 4. Stored with the steps first it is four vec4 as they are, else they are transposed.
fn stage(a: bool, side: u32, step4: u32, v: array<vec4f, 4>) {
  for (var j = 0u; j < 4u; j++) {
    let at = (step4 * 4u + j) * TILE4 + side;
    if (a) {
      aTile[at] = v[j];
    } else {
      bTile[at] = v[j];
    }
  }
}

fn transposed(v: array<vec4f, 4>) -> array<vec4f, 4> {
  let m = transpose(mat4x4f(v[0], v[1], v[2], v[3]));
  return array<vec4f, 4>(m[0], m[1], m[2], m[3]);
}

fn stageB(tile: Tile, k: u32, local: u32) {
  let start = tile.batch * sizes.bBatch / 4u;
  var v: array<vec4f, 4>;
  if (sizes.transposeB == 1u) {
    let step4 = local % 4u;
    let side = local / 4u;
    let inside = k + step4 * 4u < tile.end;
    let at = start + select(0u, (k + step4 * 4u) / 4u, inside);
    for (var i = 0u; i < 4u; i++) {
      let column = min(tile.column4 * 4u + side * 4u + i, sizes.columns - 1u);
      v[i] = select(vec4f(), b4[at + column * (sizes.inner / 4u)], inside);
    }
    stage(false, side, step4, transposed(v));
    return;
  }
  let side = local % 16u;
  let step4 = local / 16u;
  let columns4 = sizes.columns / 4u;
  let column4 = min(tile.column4 + side, columns4 - 1u);
  for (var j = 0u; j < 4u; j++) {
    let at = k + step4 * 4u + j;
    let inside = at < tile.end;
    v[j] = select(vec4f(), b4[start + select(0u, at, inside) * columns4 + column4], inside);
  }
  stage(false, side, step4, v);
}

fn stageA(tile: Tile, k: u32, local: u32) {
  let start = tile.batch * sizes.aBatch / 4u;
  var v: array<vec4f, 4>;
  if (sizes.transposeA == 1u) {
    let side = local % 16u;
    let step4 = local / 16u;
    let rows4 = sizes.rows / 4u;
    let row4 = min(tile.row / 4u + side, rows4 - 1u);
    for (var j = 0u; j < 4u; j++) {
      let at = k + step4 * 4u + j;
      let inside = at < tile.end;
      v[j] = select(vec4f(), a4[start + select(0u, at, inside) * rows4 + row4], inside);
    }
    stage(true, side, step4, v);
    return;
  }
  let step4 = local % 4u;
  let side = local / 4u;
  let inside = k + step4 * 4u < tile.end;
  let at = start + select(0u, (k + step4 * 4u) / 4u, inside);
  for (var i = 0u; i < 4u; i++) {
    let row = min(tile.row + side * 4u + i, sizes.rows - 1u);
    v[i] = select(vec4f(), a4[at + row * (sizes.inner / 4u)], inside);
  }
  stage(true, side, step4, transposed(v));
}

// The vec4 of the image that an output pixel reads for number `part` of (tap, channel / 4); zero outside of the image.
fn imagePart(pixel: u32, part: u32) -> vec4f {
  let from4 = sizes.fromChannels / 4u;
  let tap = part / from4;
  let toY = pixel / sizes.toWidth % sizes.toHeight;
  let toX = pixel % sizes.toWidth;
  let y = i32(toY * sizes.multiplyY) + sizes.offsetY + sizes.tapSign * i32(tap / sizes.kernelWidth);
  let x = i32(toX * sizes.multiplyX) + sizes.offsetX + sizes.tapSign * i32(tap % sizes.kernelWidth);
  let row = u32(max(y, 0)) / sizes.divideY;
  let column = u32(max(x, 0)) / sizes.divideX;
  let divides = i32(row * sizes.divideY) == y && i32(column * sizes.divideX) == x; // never where y or x is negative
  let inside = divides && row < sizes.fromHeight && column < sizes.fromWidth;
  let batch = pixel / (sizes.toWidth * sizes.toHeight);
  let source = ((batch * sizes.fromHeight + row) * sizes.fromWidth + column) * from4 + part % from4;
  return select(vec4f(), a4[select(0u, source, inside)], inside);
}

fn stagePixelRows(tile: Tile, k: u32, local: u32) {
  let step4 = local % 4u;
  let side = local / 4u;
  let part = k / 4u + step4;
  var v: array<vec4f, 4>;
  if (part * 4u < tile.end) {
    for (var i = 0u; i < 4u; i++) {
      v[i] = imagePart(min(tile.row + side * 4u + i, sizes.rows - 1u), part);
    }
  }
  stage(true, side, step4, transposed(v));
}

fn stagePixelSteps(tile: Tile, k: u32, local: u32) {
  let side = local % 16u;
  let step4 = local / 16u;
  let part = min(tile.row / 4u + side, sizes.rows / 4u - 1u);
  var v: array<vec4f, 4>;
  for (var j = 0u; j < 4u; j++) {
    let pixel = k + step4 * 4u + j;
    if (pixel < tile.end) {
      v[j] = imagePart(pixel, part);
    }
  }
  stage(true, side, step4, v);
}

// Adds 16 steps to the 8 x 8 elements of an invocation: rows 4 ty and 32 + 4 ty on, columns 4 tx and 32 + 4 tx on.
fn accumulate(acc: ptr<function, array<vec4f, 16>>, local: u32) {
  let ty = local / 8u;
  let tx = local % 8u;
  for (var s = 0u; s < STEPS; s++) {
    let a0 = aTile[s * TILE4 + ty];
    let a1 = aTile[s * TILE4 + ty + 8u];
    let b0 = bTile[s * TILE4 + tx];
    let b1 = bTile[s * TILE4 + tx + 8u];
    for (var r = 0u; r < 4u; r++) {
      (*acc)[r * 2u] = fma(vec4f(a0[r]), b0, (*acc)[r * 2u]);
      (*acc)[r * 2u + 1u] = fma(vec4f(a0[r]), b1, (*acc)[r * 2u + 1u]);
      (*acc)[r * 2u + 8u] = fma(vec4f(a1[r]), b0, (*acc)[r * 2u + 8u]);
      (*acc)[r * 2u + 9u] = fma(vec4f(a1[r]), b1, (*acc)[r * 2u + 9u]);
    }
  }
}

fn store(tile: Tile, acc: ptr<function, array<vec4f, 16>>, local: u32) {
  let columns4 = sizes.columns / 4u;
  let left = tile.column4 + local % 8u;
  for (var r = 0u; r < 8u; r++) {
    let row = tile.row + local / 8u * 4u + r % 4u + r / 4u * 32u;
    if (row < sizes.rows) {
      let at = ((tile.batch * sizes.splits + tile.split) * sizes.rows + row) * columns4;
      if (left < columns4) {
        out4[at + left] = (*acc)[r * 2u];
      }
      if (left + 8u < columns4) {
        out4[at + left + 8u] = (*acc)[r * 2u + 1u];
      }
    }
  }
}

// The left side by READS: a [rows, inner] or its transpose; the image for a convolution; the image for a weight
// gradient.
@compute @workgroup_size(64) fn product(group: Group, @builtin(local_invocation_index) lane: u32) {
  let tile = tileOf(groupOf(group));
  if (tile.batch >= sizes.batches) {
    return;
  }
  var acc: array<vec4f, 16>;
  for (var k = tile.k; k < tile.end; k += STEPS) {
    switch (READS) {
      case CONVOLUTION: { stagePixelRows(tile, k, lane); }
      case WEIGHT_GRADIENT: { stagePixelSteps(tile, k, lane); }
      default: { stageA(tile, k, lane); }
    }
    stageB(tile, k, lane);
    workgroupBarrier();
    accumulate(&acc, lane);
    workgroupBarrier();
  }
  store(tile, &acc, lane);
}

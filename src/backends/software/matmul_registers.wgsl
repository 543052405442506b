// Matrix product in registers, for software adapters without subgroups of 8 lanes:
// out[batch, split, row, column] = sum over the split's part of k of a[row, k] b[k, column].
//
// An invocation computes 8 x 8 elements: each number that it loads is used eight times, and four numbers come with one
// load. A long sum over k (a weight gradient) is cut into splits; reduce.wgsl adds them up in a fixed order.

struct Sizes {
  batches: u32,
  splits: u32,
  rows: u32,
  columns: u32,
  inner: u32,
  chunk: u32, // length of k per split, a multiple of 4
  aBatch: u32, // elements between the batches of a; 0 where all share one
  bBatch: u32,
}

@group(0) @binding(0) var<storage, read> a4: array<vec4f>;
@group(0) @binding(1) var<storage, read> b4: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out4: array<vec4f>; // [batches, splits, rows, columns]
@group(0) @binding(3) var<uniform> sizes: Sizes;

const TILE = 8u;

struct Tile {
  batch: u32,
  split: u32,
  row: u32, // first row
  column4: u32, // first column / 4
  k: u32,
  end: u32,
}

fn tileOf(index: u32) -> Tile {
  let columnTiles = (sizes.columns + TILE - 1u) / TILE;
  let rowTiles = (sizes.rows + TILE - 1u) / TILE;
  let column = index % columnTiles;
  let row = index / columnTiles % rowTiles;
  let split = index / (columnTiles * rowTiles) % sizes.splits;
  let batch = index / (columnTiles * rowTiles * sizes.splits);
  let k = split * sizes.chunk;
  return Tile(batch, split, row * TILE, column * 2u, k, min(sizes.inner, k + sizes.chunk));
}

fn store(tile: Tile, left: ptr<function, array<vec4f, 8>>, right: ptr<function, array<vec4f, 8>>) {
  let columns4 = sizes.columns / 4u;
  let start = (tile.batch * sizes.splits + tile.split) * sizes.rows;
  for (var r = 0u; r < TILE; r++) {
    if (tile.row + r < sizes.rows) {
      let at = (start + tile.row + r) * columns4 + tile.column4;
      out4[at] = (*left)[r];
      if (tile.column4 + 1u < columns4) {
        out4[at + 1u] = (*right)[r];
      }
    }
  }
}

// a is [rows, inner], b is [inner, columns]; inner and columns are multiples of 4.
@compute @workgroup_size(64) fn tiles(launch: Launch) {
  let tile = tileOf(indexOf(launch));
  if (tile.batch >= sizes.batches) {
    return;
  }
  let inner4 = sizes.inner / 4u;
  let columns4 = sizes.columns / 4u;
  // Tiles that reach over the edge read the last row or column again and do not store the result.
  var aAt: array<u32, 8>;
  for (var r = 0u; r < TILE; r++) {
    aAt[r] = tile.batch * sizes.aBatch / 4u + min(tile.row + r, sizes.rows - 1u) * inner4;
  }
  let second = select(0u, 1u, tile.column4 + 1u < columns4);
  var left: array<vec4f, 8>;
  var right: array<vec4f, 8>;
  let bStart = tile.batch * sizes.bBatch / 4u + tile.column4;
  for (var k = tile.k; k < tile.end; k += 4u) {
    let at = bStart + k * columns4;
    let b00 = b4[at];
    let b10 = b4[at + columns4];
    let b20 = b4[at + 2u * columns4];
    let b30 = b4[at + 3u * columns4];
    let b01 = b4[at + second];
    let b11 = b4[at + columns4 + second];
    let b21 = b4[at + 2u * columns4 + second];
    let b31 = b4[at + 3u * columns4 + second];
    for (var r = 0u; r < TILE; r++) {
      let x = a4[aAt[r] + k / 4u];
      left[r] = fma(vec4f(x.w), b30, fma(vec4f(x.z), b20, fma(vec4f(x.y), b10, fma(vec4f(x.x), b00, left[r]))));
      right[r] = fma(vec4f(x.w), b31, fma(vec4f(x.z), b21, fma(vec4f(x.y), b11, fma(vec4f(x.x), b01, right[r]))));
    }
  }
  store(tile, &left, &right);
}

// a is stored as [inner, rows], b is [inner, columns]; rows and columns are multiples of 4.
@compute @workgroup_size(64) fn tilesTransposedA(launch: Launch) {
  let tile = tileOf(indexOf(launch));
  if (tile.batch >= sizes.batches) {
    return;
  }
  let rows4 = sizes.rows / 4u;
  let columns4 = sizes.columns / 4u;
  let secondRow = select(0u, 1u, tile.row + 4u < sizes.rows);
  let secondColumn = select(0u, 1u, tile.column4 + 1u < columns4);
  let aStart = tile.batch * sizes.aBatch / 4u + tile.row / 4u;
  let bStart = tile.batch * sizes.bBatch / 4u + tile.column4;
  var left: array<vec4f, 8>;
  var right: array<vec4f, 8>;
  for (var k = tile.k; k < tile.end; k++) {
    let top = a4[aStart + k * rows4];
    let bottom = a4[aStart + k * rows4 + secondRow];
    let b0 = b4[bStart + k * columns4];
    let b1 = b4[bStart + k * columns4 + secondColumn];
    for (var r = 0u; r < 4u; r++) {
      left[r] = fma(vec4f(top[r]), b0, left[r]);
      right[r] = fma(vec4f(top[r]), b1, right[r]);
      left[r + 4u] = fma(vec4f(bottom[r]), b0, left[r + 4u]);
      right[r + 4u] = fma(vec4f(bottom[r]), b1, right[r + 4u]);
    }
  }
  store(tile, &left, &right);
}

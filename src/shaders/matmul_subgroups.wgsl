enable subgroups;

// Matrix product for machines whose loads are dear and whose subgroups have 8 lanes: CPUs that play GPU. The same numbers as
// matmul.wgsl's tiles. One subgroup computes 32 rows x 16 columns: every lane keeps 4 rows in registers, and the 16 columns
// of b, which all lanes need, are loaded by the lanes together and handed round by broadcast.

struct Sizes {
  batches: u32,
  splits: u32,
  rows: u32,
  columns: u32,
  inner: u32,
  chunk: u32, // length of k per split, a multiple of 4
  aBatch: u32, // elements between the batches of a; 0 where all share one
  bBatch: u32,
  aRow: u32,
  aInner: u32,
  bInner: u32,
  bColumn: u32,
}

@group(0) @binding(0) var<storage, read> a4: array<vec4f>;
@group(0) @binding(1) var<storage, read> b4: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out4: array<vec4f>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

struct Tile {
  batch: u32,
  split: u32,
  row: u32,
  column4: u32,
  k: u32,
  end: u32,
}

fn tileOf(index: u32) -> Tile {
  let columnTiles = (sizes.columns + 15u) / 16u;
  let rowTiles = (sizes.rows + 31u) / 32u;
  let column = index % columnTiles;
  let row = index / columnTiles % rowTiles;
  let split = index / (columnTiles * rowTiles) % sizes.splits;
  let batch = index / (columnTiles * rowTiles * sizes.splits);
  let k = split * sizes.chunk;
  return Tile(batch, split, row * 32u, column * 4u, k, min(sizes.inner, k + sizes.chunk));
}

// acc[row * 4 + column4] += x[row] * b[column4], b being one row of 16 columns in lanes `first` .. `first` + 3.
fn accumulate(acc: ptr<function, array<vec4f, 16>>, x: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) {
  for (var r = 0u; r < 4u; r++) {
    (*acc)[r * 4u] += x[r] * b0;
    (*acc)[r * 4u + 1u] += x[r] * b1;
    (*acc)[r * 4u + 2u] += x[r] * b2;
    (*acc)[r * 4u + 3u] += x[r] * b3;
  }
}

fn storeRow(tile: Tile, row: u32, v0: vec4f, v1: vec4f, v2: vec4f, v3: vec4f) {
  let columns4 = sizes.columns / 4u;
  if (row < sizes.rows) {
    let at = ((tile.batch * sizes.splits + tile.split) * sizes.rows + row) * columns4 + tile.column4;
    out4[at] = v0;
    if (tile.column4 + 1u < columns4) {
      out4[at + 1u] = v1;
    }
    if (tile.column4 + 2u < columns4) {
      out4[at + 2u] = v2;
    }
    if (tile.column4 + 3u < columns4) {
      out4[at + 3u] = v3;
    }
  }
}

// a is [rows, inner], b is [inner, columns]; inner and columns are multiples of 4.
@compute @workgroup_size(8)
fn tiles(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = tileOf(group.y * groups.x + group.x);
  if (tile.batch >= sizes.batches) {
    return;
  }
  let inner4 = sizes.inner / 4u;
  let columns4 = sizes.columns / 4u;
  let aStart = tile.batch * sizes.aBatch / 4u;
  let row = tile.row + lane;
  let a0 = aStart + min(row, sizes.rows - 1u) * inner4;
  let a1 = aStart + min(row + 8u, sizes.rows - 1u) * inner4;
  let a2 = aStart + min(row + 16u, sizes.rows - 1u) * inner4;
  let a3 = aStart + min(row + 24u, sizes.rows - 1u) * inner4;
  let bStart = tile.batch * sizes.bBatch / 4u + min(tile.column4 + (lane & 3u), columns4 - 1u) + (lane >> 2u) * columns4;
  var acc: array<vec4f, 16>;
  for (var k = tile.k; k < tile.end; k += 4u) {
    let b01 = b4[bStart + k * columns4];
    let b23 = b4[bStart + (k + 2u) * columns4];
    let x0 = a4[a0 + k / 4u];
    let x1 = a4[a1 + k / 4u];
    let x2 = a4[a2 + k / 4u];
    let x3 = a4[a3 + k / 4u];
    accumulate(&acc, vec4f(x0.x, x1.x, x2.x, x3.x), subgroupBroadcast(b01, 0u), subgroupBroadcast(b01, 1u), subgroupBroadcast(b01, 2u), subgroupBroadcast(b01, 3u));
    accumulate(&acc, vec4f(x0.y, x1.y, x2.y, x3.y), subgroupBroadcast(b01, 4u), subgroupBroadcast(b01, 5u), subgroupBroadcast(b01, 6u), subgroupBroadcast(b01, 7u));
    accumulate(&acc, vec4f(x0.z, x1.z, x2.z, x3.z), subgroupBroadcast(b23, 0u), subgroupBroadcast(b23, 1u), subgroupBroadcast(b23, 2u), subgroupBroadcast(b23, 3u));
    accumulate(&acc, vec4f(x0.w, x1.w, x2.w, x3.w), subgroupBroadcast(b23, 4u), subgroupBroadcast(b23, 5u), subgroupBroadcast(b23, 6u), subgroupBroadcast(b23, 7u));
  }
  storeRow(tile, row, acc[0], acc[1], acc[2], acc[3]);
  storeRow(tile, row + 8u, acc[4], acc[5], acc[6], acc[7]);
  storeRow(tile, row + 16u, acc[8], acc[9], acc[10], acc[11]);
  storeRow(tile, row + 24u, acc[12], acc[13], acc[14], acc[15]);
}

// a is stored as [inner, rows], b is [inner, columns]; rows and columns are multiples of 4. Each lane's 4 rows are one load.
@compute @workgroup_size(8)
fn tilesTransposedA(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = tileOf(group.y * groups.x + group.x);
  if (tile.batch >= sizes.batches) {
    return;
  }
  let rows4 = sizes.rows / 4u;
  let columns4 = sizes.columns / 4u;
  let row = tile.row + lane * 4u;
  let aStart = tile.batch * sizes.aBatch / 4u + min(row / 4u, rows4 - 1u);
  let bStart = tile.batch * sizes.bBatch / 4u + min(tile.column4 + (lane & 3u), columns4 - 1u);
  let odd = lane >> 2u;
  var acc: array<vec4f, 16>;
  for (var k = tile.k; k < tile.end; k += 2u) {
    // Lanes 4 to 7 fetch the next row of b. Past the end both read the last row, and the second half counts for nothing.
    let next = min(k + 1u, tile.end - 1u);
    let b = b4[bStart + min(k + odd, tile.end - 1u) * columns4];
    let x = a4[aStart + k * rows4];
    let y = a4[aStart + next * rows4] * select(0.0, 1.0, k + 1u < tile.end);
    accumulate(&acc, x, subgroupBroadcast(b, 0u), subgroupBroadcast(b, 1u), subgroupBroadcast(b, 2u), subgroupBroadcast(b, 3u));
    accumulate(&acc, y, subgroupBroadcast(b, 4u), subgroupBroadcast(b, 5u), subgroupBroadcast(b, 6u), subgroupBroadcast(b, 7u));
  }
  storeRow(tile, row, acc[0], acc[1], acc[2], acc[3]);
  storeRow(tile, row + 1u, acc[4], acc[5], acc[6], acc[7]);
  storeRow(tile, row + 2u, acc[8], acc[9], acc[10], acc[11]);
  storeRow(tile, row + 3u, acc[12], acc[13], acc[14], acc[15]);
}

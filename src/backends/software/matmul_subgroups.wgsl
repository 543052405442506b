enable subgroups;

// Matrix product for software adapters whose subgroups have 8 lanes. The same numbers as matmul_registers.wgsl. One
// subgroup computes 32 rows x 32 or 64 columns: every lane keeps 4 rows in registers, and a row of b, which all lanes
// need, is loaded by the lanes together and shared by broadcast.
//
// One step of the inner sum per turn of the loop: the compiler fetches all that a turn needs before it multiplies, and
// two steps would not leave it enough registers.

struct Sizes {
  batches: u32,
  splits: u32,
  rows: u32,
  columns: u32,
  inner: u32,
  chunk: u32, // steps of the inner sum per split
  aBatch: u32, // vec4 between the batches of a; 0 where all share one
  bBatch: u32,
  aStep: u32, // vec4 between the steps of a
}

@group(0) @binding(0) var<storage, read> a4: array<vec4f>; // [inner, rows], rows filled up to a multiple of 4
@group(0) @binding(1) var<storage, read> b4: array<vec4f>; // [inner, columns]; for tiles32Transposed [columns, inner]
@group(0) @binding(2) var<storage, read_write> out4: array<vec4f>; // [batches, splits, rows, columns]
@group(0) @binding(3) var<uniform> sizes: Sizes;

struct Tile {
  batch: u32,
  split: u32,
  row: u32,
  column4: u32,
  k: u32,
  end: u32,
}

fn tileOf(index: u32, width: u32) -> Tile {
  let columnTiles = (sizes.columns + width - 1u) / width;
  let rowTiles = (sizes.rows + 31u) / 32u;
  let column = index % columnTiles;
  let row = index / columnTiles % rowTiles;
  let split = index / (columnTiles * rowTiles) % sizes.splits;
  let batch = index / (columnTiles * rowTiles * sizes.splits);
  let k = split * sizes.chunk;
  return Tile(batch, split, row * 32u, column * width / 4u, k, min(sizes.inner, k + sizes.chunk));
}

// acc[lane * 4 + row] += x[row] * b[lane]: 4 rows times the 32 columns that the lanes have loaded.
fn accumulate(acc: ptr<function, array<vec4f, 32>>, x: vec4f, b: vec4f) {
  addRows(acc, 0u, x, subgroupBroadcast(b, 0u));
  addRows(acc, 4u, x, subgroupBroadcast(b, 1u));
  addRows(acc, 8u, x, subgroupBroadcast(b, 2u));
  addRows(acc, 12u, x, subgroupBroadcast(b, 3u));
  addRows(acc, 16u, x, subgroupBroadcast(b, 4u));
  addRows(acc, 20u, x, subgroupBroadcast(b, 5u));
  addRows(acc, 24u, x, subgroupBroadcast(b, 6u));
  addRows(acc, 28u, x, subgroupBroadcast(b, 7u));
}

fn addRows(acc: ptr<function, array<vec4f, 32>>, first: u32, x: vec4f, b: vec4f) {
  (*acc)[first] = fma(vec4f(x.x), b, (*acc)[first]);
  (*acc)[first + 1u] = fma(vec4f(x.y), b, (*acc)[first + 1u]);
  (*acc)[first + 2u] = fma(vec4f(x.z), b, (*acc)[first + 2u]);
  (*acc)[first + 3u] = fma(vec4f(x.w), b, (*acc)[first + 3u]);
}

// The loop's bound is no constant, so no compiler unrolls it: LLVM takes seconds over hundreds of stores.
fn store(tile: Tile, row: u32, column4: u32, acc: ptr<function, array<vec4f, 32>>) {
  let columns4 = sizes.columns / 4u;
  let start = (tile.batch * sizes.splits + tile.split) * sizes.rows + row;
  for (var column = column4; column < min(column4 + 8u, columns4); column++) {
    for (var r = 0u; r < 4u; r++) {
      if (row + r < sizes.rows) {
        out4[(start + r) * columns4 + column] = (*acc)[r];
      }
    }
    for (var i = 0u; i < 28u; i++) { // the next column's come to the front
      (*acc)[i] = (*acc)[i + 4u];
    }
  }
}

@compute @workgroup_size(8) fn tiles32(group: Group, @builtin(local_invocation_index) lane: u32) {
  let tile = tileOf(groupOf(group), 32u);
  if (tile.batch >= sizes.batches) {
    return;
  }
  let columns4 = sizes.columns / 4u;
  let row = tile.row + lane * 4u;
  // Tiles that reach over the edge read the last rows or columns again and do not store the result.
  var a = tile.batch * sizes.aBatch + min(row / 4u, sizes.aStep - 1u) + tile.k * sizes.aStep;
  var b = tile.batch * sizes.bBatch + min(tile.column4 + lane, columns4 - 1u) + tile.k * columns4;
  var acc: array<vec4f, 32>;
  for (var k = tile.k; k < tile.end; k++) {
    accumulate(&acc, a4[a], b4[b]);
    a += sizes.aStep;
    b += columns4;
  }
  store(tile, row, tile.column4, &acc);
}

@compute @workgroup_size(8) fn tiles64(group: Group, @builtin(local_invocation_index) lane: u32) {
  let tile = tileOf(groupOf(group), 64u);
  if (tile.batch >= sizes.batches) {
    return;
  }
  let columns4 = sizes.columns / 4u;
  let row = tile.row + lane * 4u;
  var a = tile.batch * sizes.aBatch + min(row / 4u, sizes.aStep - 1u) + tile.k * sizes.aStep;
  let start = tile.batch * sizes.bBatch + tile.k * columns4;
  var left = start + min(tile.column4 + lane, columns4 - 1u);
  var right = start + min(tile.column4 + 8u + lane, columns4 - 1u);
  var leftAcc: array<vec4f, 32>;
  var rightAcc: array<vec4f, 32>;
  for (var k = tile.k; k < tile.end; k++) {
    let x = a4[a];
    let b = b4[right];
    accumulate(&leftAcc, x, b4[left]);
    accumulate(&rightAcc, x, b);
    a += sizes.aStep;
    left += columns4;
    right += columns4;
  }
  store(tile, row, tile.column4, &leftAcc);
  store(tile, row, tile.column4 + 8u, &rightAcc);
}

// Four steps of a lane's four columns, of b as it is stored before it is transposed: [columns, inner].
fn loadSteps(b: u32) -> mat4x4f {
  let column = sizes.inner / 4u;
  return transpose(mat4x4f(b4[b], b4[b + column], b4[b + 2u * column], b4[b + 3u * column]));
}

// b4 is [columns, inner]; inner is a multiple of 4.
@compute @workgroup_size(8) fn tiles32Transposed(group: Group, @builtin(local_invocation_index) lane: u32) {
  let tile = tileOf(groupOf(group), 32u);
  if (tile.batch >= sizes.batches) {
    return;
  }
  let columns4 = sizes.columns / 4u;
  let row = tile.row + lane * 4u;
  var a = tile.batch * sizes.aBatch + min(row / 4u, sizes.aStep - 1u) + tile.k * sizes.aStep;
  var b = tile.batch * sizes.bBatch + min(tile.column4 + lane, columns4 - 1u) * sizes.inner + tile.k / 4u;
  var acc: array<vec4f, 32>;
  var steps: mat4x4f;
  for (var k = tile.k; k < tile.end; k++) {
    if (k % 4u == 0u) {
      steps = loadSteps(b);
      b++;
    }
    accumulate(&acc, a4[a], steps[0]);
    steps = mat4x4f(steps[1], steps[2], steps[3], steps[0]); // with steps[k % 4] the loop would be unrolled
    a += sizes.aStep;
  }
  store(tile, row, tile.column4, &acc);
}

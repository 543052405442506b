// out[batch, column, row] = x[batch, row, column]. The rows of `out` are filled up with zeros to a multiple of 4.
//
// An invocation turns a block of 4 x 4, a workgroup one of 32 x 32: whole cache lines are read and written.

struct Sizes {
  batches: u32,
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out4: array<vec4f>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

struct Block {
  batch: u32,
  row: u32,
  column: u32,
}

fn blockOf(launch: Launch) -> Block {
  let index = groupOf(Group(launch.group, launch.groups));
  let rowBlocks = (sizes.rows + 31u) / 32u;
  let columnBlocks = (sizes.columns + 31u) / 32u;
  return Block(
    index / (rowBlocks * columnBlocks),
    index % rowBlocks * 32u + launch.local % 8u * 4u,
    index / rowBlocks % columnBlocks * 32u + launch.local / 8u * 4u,
  );
}

fn store(block: Block, v0: vec4f, v1: vec4f, v2: vec4f, v3: vec4f) {
  let rows4 = (sizes.rows + 3u) / 4u;
  let at = (block.batch * sizes.columns + block.column) * rows4 + block.row / 4u;
  out4[at] = vec4f(v0.x, v1.x, v2.x, v3.x);
  if (block.column + 1u < sizes.columns) {
    out4[at + rows4] = vec4f(v0.y, v1.y, v2.y, v3.y);
  }
  if (block.column + 2u < sizes.columns) {
    out4[at + 2u * rows4] = vec4f(v0.z, v1.z, v2.z, v3.z);
  }
  if (block.column + 3u < sizes.columns) {
    out4[at + 3u * rows4] = vec4f(v0.w, v1.w, v2.w, v3.w);
  }
}

fn rowOf(block: Block, row: u32) -> vec4f {
  let inside = block.row + row < sizes.rows;
  let at = ((block.batch * sizes.rows + block.row + row) * sizes.columns + block.column) / 4u;
  return select(vec4f(), x4[select(0u, at, inside)], inside);
}

fn element(block: Block, row: u32, column: u32) -> f32 {
  let inside = block.row + row < sizes.rows && block.column + column < sizes.columns;
  let at = (block.batch * sizes.rows + block.row + row) * sizes.columns + block.column + column;
  return select(0.0, x[select(0u, at, inside)], inside);
}

fn oddRowOf(block: Block, row: u32) -> vec4f {
  return vec4f(element(block, row, 0u), element(block, row, 1u), element(block, row, 2u), element(block, row, 3u));
}

// Columns are a multiple of 4.
@compute @workgroup_size(64) fn transpose4(launch: Launch) {
  let block = blockOf(launch);
  if (block.batch < sizes.batches && block.row < sizes.rows && block.column < sizes.columns) {
    store(block, rowOf(block, 0u), rowOf(block, 1u), rowOf(block, 2u), rowOf(block, 3u));
  }
}

@compute @workgroup_size(64) fn transposeScalar(launch: Launch) {
  let block = blockOf(launch);
  if (block.batch < sizes.batches && block.row < sizes.rows && block.column < sizes.columns) {
    store(block, oddRowOf(block, 0u), oddRowOf(block, 1u), oddRowOf(block, 2u), oddRowOf(block, 3u));
  }
}

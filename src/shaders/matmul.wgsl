// Matrix product as it is defined: out[batch, row, column] = sum over k of a[batch, row, k] b[batch, k, column].
//
// One element per invocation, any strides, the sum in the order of k. GPUs use tiles.wgsl where sizes are multiples of 4.

struct Sizes {
  batches: u32,
  rows: u32,
  columns: u32,
  inner: u32,
  aBatch: u32, // elements between the batches of a; 0 where all share one
  bBatch: u32,
  aRow: u32, // elements between neighbouring rows of a; likewise along k, and of b
  aInner: u32,
  bInner: u32,
  bColumn: u32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>; // [batches, rows, columns]
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64) fn product(launch: Launch) {
  let index = indexOf(launch);
  if (index >= sizes.batches * sizes.rows * sizes.columns) {
    return;
  }
  let column = index % sizes.columns;
  let row = index / sizes.columns % sizes.rows;
  let batch = index / (sizes.columns * sizes.rows);
  let aStart = batch * sizes.aBatch + row * sizes.aRow;
  let bStart = batch * sizes.bBatch + column * sizes.bColumn;
  var sum = 0.0;
  for (var k = 0u; k < sizes.inner; k++) {
    sum += a[aStart + k * sizes.aInner] * b[bStart + k * sizes.bInner];
  }
  out[index] = sum;
}

// Blocks of columns: a tensor [rows, width] as part of a wider one [rows, stride].

// One number per invocation, or four side by side where all widths are multiples of 4: `kernelPair` replaces this type.
alias Value = f32;
alias Values = u32; // a count of Value: `kernelPair` divides it by 4

struct Sizes {
  rows: u32,
  width: Values, // of a row of the block
  stride: Values, // of a row of the wider tensor
  offset: Values, // where in that row the block begins
}

@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read_write> out: array<Value>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

// Writes x [rows, width] into a block of out [rows, stride].
@compute @workgroup_size(64) fn insert(launch: Launch) {
  let i = indexOf(launch);
  if (i < sizes.rows * sizes.width) {
    out[i / sizes.width * sizes.stride + sizes.offset + i % sizes.width] = x[i];
  }
}

// Reads a block of x [rows, stride] into out [rows, width].
@compute @workgroup_size(64) fn extract(launch: Launch) {
  let i = indexOf(launch);
  if (i < sizes.rows * sizes.width) {
    out[i] = x[i / sizes.width * sizes.stride + sizes.offset + i % sizes.width];
  }
}
